"""Shipped schemes: orders, rings, parts and crops agree with faces laid out by the data sets' figures."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest

from tests.schemes import ALL_SCHEMES, mean_face, placed
from tests.shapes import face_points
from tracker.geometry import CropTransform
from tracker.scheme.five import FIVE
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.placing import mirror_order
from tracker.scheme.shipped import SCHEMES
from tracker.scheme.value import CropRule, Measured, Scheme, plain_scheme
from tracker.types import FaceBox

shipped = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=str)
any_scheme = pytest.mark.parametrize("scheme", ALL_SCHEMES, ids=str)


def mirrored(scheme: Scheme, points: tuple[int, ...]) -> set[int]:
    return set(mirror_order(scheme)[list(points)].tolist())


def test_each_scheme_is_found_by_its_name() -> None:
    assert {name: scheme.n_points for name, scheme in SCHEMES.items()} == {
        "ibug68": 68, "imm58": 58, "wflw98": 98, "five": 5, "jd106": 106,
    }  # fmt: skip
    assert all(scheme.name == name for name, scheme in SCHEMES.items())


@shipped
def test_the_mirror_of_a_symmetric_face_is_that_face(scheme: Scheme) -> None:
    face = mean_face(scheme)
    assert face.shape == (scheme.n_points, 2)
    assert np.abs(face[mirror_order(scheme)] * (-1, 1) - face).max() < 1e-12


@shipped
def test_the_mirror_maps_edges_parts_eyes_and_what_is_steady_to_themselves(scheme: Scheme) -> None:
    edges = {frozenset(edge) for edge in scheme.edges}
    assert {frozenset(mirrored(scheme, edge)) for edge in scheme.edges} == edges
    parts = {frozenset(part) for part in scheme.parts.values()}
    assert {frozenset(mirrored(scheme, part)) for part in scheme.parts.values()} == parts
    assert scheme.upright is not None
    assert scheme.normaliser is not None
    assert mirrored(scheme, scheme.upright.left_eye) == set(scheme.upright.right_eye)
    assert mirrored(scheme, scheme.upright.mouth) == set(scheme.upright.mouth)
    assert mirrored(scheme, scheme.normaliser) == set(scheme.normaliser)
    assert mirrored(scheme, scheme.steady) == set(scheme.steady)
    measured = scheme.measured
    assert mirrored(scheme, measured.left_eye or ()) == set(measured.right_eye or ())
    assert mirrored(scheme, measured.mouth or ()) == set(measured.mouth or ())


@shipped
def test_rings_run_from_corner_to_corner(scheme: Scheme) -> None:
    face, measured = mean_face(scheme), scheme.measured
    for ring in (measured.left_eye, measured.right_eye, measured.mouth):
        if ring is not None:
            xs = face[list(ring), 0]
            assert {int(xs.argmin()), int(xs.argmax())} == {0, len(ring) // 2}
            above, below = face[list(ring[1 : len(ring) // 2])], face[list(ring[: len(ring) // 2 : -1])]
            assert above[:, 0] == pytest.approx(below[:, 0], abs=1e-9)
            assert (np.sign(above[:, 1] - below[:, 1]) == np.sign(above[0, 1] - below[0, 1])).all()


@shipped
def test_the_pose_pairs_points_at_the_same_places(scheme: Scheme) -> None:
    pairs = scheme.measured.pose or ()
    own, ibug = mean_face(scheme), mean_face(IBUG68)
    assert all(np.abs(own[a] - ibug[b]).max() < 0.02 for a, b in pairs)
    assert {(mirror_order(scheme)[a], mirror_order(IBUG68)[b]) for a, b in pairs} == set(pairs)


@shipped
def test_the_normaliser_is_the_outer_corners_or_the_centres_of_the_eyes(scheme: Scheme) -> None:
    assert scheme.normaliser is not None
    assert scheme.upright is not None
    face, (left, right) = mean_face(scheme), scheme.normaliser
    assert face[left, 0] == face[list(scheme.upright.left_eye), 0].min()
    assert face[right, 0] == face[list(scheme.upright.right_eye), 0].max()


@shipped
def test_every_crop_shows_about_what_the_crop_of_ibug_shows(scheme: Scheme) -> None:
    """So does the one around a detector's box, in which a model finds new faces."""
    expected = CropTransform.from_points(face_points((300, 200), 100, 0.3))
    box = replace(FaceBox.around(face_points((300, 200), 100)), roll_rad=0.3)
    for crop in (
        CropTransform.from_points(placed(scheme, (300, 200), 100, 0.3), scheme),
        CropTransform.from_box(box, scheme.crop),
    ):
        assert crop.angle == pytest.approx(0.3, abs=1e-6)
        assert crop.side == pytest.approx(expected.side, rel=0.15)
        shift = np.hypot(crop.center[0] - expected.center[0], crop.center[1] - expected.center[1])
        assert shift < 0.08 * expected.side


def test_a_box_is_shifted_along_the_axes_of_the_head() -> None:
    upright = CropTransform.from_box(FaceBox(0, 0, 10, 20), FIVE.crop)
    turned = CropTransform.from_box(FaceBox(0, 0, 10, 20, roll_rad=np.pi / 2), FIVE.crop)
    assert upright.center == pytest.approx((5, 10 - 0.077 * 20))
    assert turned.center == pytest.approx((5 + 0.077 * 20, 10))


@any_scheme
def test_copies_and_pickles_are_one_object_that_is_equal(scheme: Scheme) -> None:
    assert copy.deepcopy(scheme) is scheme
    again = pickle.loads(pickle.dumps(scheme))
    assert again == scheme
    assert pickle.loads(pickle.dumps(scheme)) is again
    assert again.parts == scheme.parts
    assert again.fingerprint == scheme.fingerprint


def test_a_fingerprint_changes_with_every_field() -> None:
    changed = [
        replace(FIVE, name="other"),
        replace(FIVE, mirror=None),
        replace(FIVE, edges=FIVE.edges[1:]),
        replace(FIVE, closed=frozenset({"mouth"})),
        replace(FIVE, crop=CropRule()),
        replace(FIVE, steady=()),
        plain_scheme("five", 5),
    ]
    prints = {scheme.fingerprint for scheme in (FIVE, *changed)}
    assert len(prints) == 1 + len(changed)


def test_a_fingerprint_does_not_depend_on_the_order_in_which_parts_are_told() -> None:
    turned = replace(FIVE, parts=dict(reversed(list(FIVE.parts.items()))))
    assert turned == FIVE
    assert turned.fingerprint == FIVE.fingerprint


def test_points_are_the_same_with_any_crop_and_no_other_difference() -> None:
    assert replace(FIVE, crop=CropRule()).has_points_of(FIVE)
    assert not replace(FIVE, mirror=None).has_points_of(FIVE)
    assert not plain_scheme("five", 5).has_points_of(FIVE)


def test_a_pose_is_refused_on_points_whose_place_on_the_head_is_unknown() -> None:
    with pytest.raises(ValueError, match=r"iBUG's points .* got \[8\]"):
        Measured(pose=tuple((point, point) for point in (8, 27, 28, 29, 30, 31)))
