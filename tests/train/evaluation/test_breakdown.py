import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import floats
from tests.tiny import face_points
from tests.train.evaluation.examples import evaluation, labelled
from tracker.types import FloatArray
from train.data.head import Camera, turned_about_y
from train.data.head_shape import HEAD_MM
from train.evaluation.breakdown import YAW_EDGES, Breakdown, bias, break_down, by_yaw, head_yaws
from train.evaluation.breakdown_tables import bias_cells, to_dict, yaw_cells
from train.evaluation.results import Evaluation
from train.metrics import inter_ocular


def rolled(roll_deg: float) -> FloatArray:
    """Rotation ``(2, 2)`` of row vectors, clockwise on screen."""
    cos, sin = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))
    return np.array([[cos, sin], [-sin, cos]])


def shifted(roll_deg: float, shift: tuple[float, float], points: slice = slice(0, 68)) -> Evaluation:
    """One face at this roll whose ``points`` are off by ``shift``, per cent along the face's own axes."""
    made = evaluation({"lfpw": [0]})
    truth = face_points(roll=math.radians(roll_deg))[None]
    size = inter_ocular(truth)
    predicted = truth.copy()
    predicted[:, points] += size[0] / 100 * np.array(shift) @ rolled(roll_deg)
    return replace(made, truth=truth, predicted=predicted, normaliser=size)


@given(floats(-180, 180), floats(-20, 20), floats(-20, 20))
def test_the_bias_is_the_shift_along_the_axes_of_the_face(roll: float, x: float, y: float) -> None:
    for row in bias(shifted(roll, (x, y))):
        assert (row.x, row.y) == pytest.approx((x, y), abs=1e-9), row.part


def test_the_bias_of_a_part_has_only_its_own_points() -> None:
    rows = {row.part: (row.x, row.y) for row in bias(shifted(30, (3.0, -1.0), slice(0, 17)))}
    assert list(rows) == ["all", "jaw", "brows", "nose", "eyes", "mouth"]
    assert rows["jaw"] == pytest.approx((3, -1))
    assert rows["mouth"] == pytest.approx((0, 0), abs=1e-9)
    assert rows["all"] == pytest.approx((3 * 17 / 68, -17 / 68))


def test_opposite_shifts_cancel_and_missed_faces_do_not_count() -> None:
    made = evaluation({"lfpw": [0, 0, math.inf]})
    step = made.normaliser[0] / 100
    predicted = made.truth + np.array([(2 * step, step), (-2 * step, step), (math.nan, math.nan)])[:, None]
    every = bias(replace(made, predicted=predicted))[0]
    assert (every.x, every.y) == pytest.approx((0, 1), abs=1e-9)


def test_without_a_face_found_there_is_no_bias() -> None:
    assert all(math.isnan(row.x) and math.isnan(row.y) for row in bias(evaluation({"lfpw": [math.inf]})))


@given(st.lists(st.tuples(floats(-180, 180), floats(0, 30) | st.just(math.inf)), min_size=1, max_size=20))
def test_each_face_is_in_one_bin_of_its_yaw(faces: list[tuple[float, float]]) -> None:
    yaws, errors = (list(values) for values in zip(*faces, strict=True))
    bins = by_yaw(evaluation({"lfpw": errors}), np.array(yaws))
    for row in bins:
        inside = [error for yaw, error in faces if row.low <= abs(yaw) < row.high]
        found = [error for error in inside if math.isfinite(error)]
        assert (row.faces, row.misses) == (len(inside), len(inside) - len(found))
        assert row.mean == pytest.approx(np.mean(found)) if found else math.isnan(row.mean)
        assert row.median == pytest.approx(np.median(found)) if found else math.isnan(row.median)
    assert sum(row.faces for row in bins) == len(faces)


def test_bins_hold_their_lower_limit_and_are_named() -> None:
    bins = by_yaw(evaluation({"lfpw": [1] * 5}), np.array([0.0, 15, -30, 45, -60]))
    assert [(row.name, row.faces) for row in bins] == [
        ("0-15", 1), ("15-30", 1), ("30-45", 1), ("45-60", 1), ("60+", 1)
    ]  # fmt: skip
    assert len(bins) == len(YAW_EDGES) - 1


def test_the_yaw_is_that_of_the_labelled_head() -> None:
    faces = labelled(["lfpw/a.jpg", "lfpw/b.jpg"])
    heads = [
        Camera(np.array(1.5), turned_about_y(yaw), np.array((120.0, 90))).project(HEAD_MM)
        for yaw in (-40, 20)
    ]
    yaws = head_yaws(replace(faces, truth=np.array(heads)))
    assert yaws == pytest.approx({faces.images[0]: -40, faces.images[1]: 20}, abs=1)


def breakdown() -> Breakdown:
    made = evaluation({"lfpw": [2, math.inf], "helen": [4]})
    yaws: dict[Path, float] = dict(zip(made.images, (3.0, 4.0, -50.0), strict=True))
    return break_down(made, yaws)


def test_a_breakdown_finds_the_yaw_of_each_face_by_its_image() -> None:
    one = breakdown()
    assert one.condition == "own detector"
    assert [(row.faces, row.misses) for row in one.yaw] == [(2, 1), (0, 0), (0, 0), (1, 0), (0, 0)]
    assert [row.mean for row in one.yaw if row.faces] == pytest.approx([2, 4])


def test_tables_and_json_hold_every_row() -> None:
    one = breakdown()
    assert yaw_cells(one)[0] == ["0-15", "2", "1", "2.00", "2.00"]
    assert yaw_cells(one)[1] == ["15-30", "0", "0", "-", "-"]
    # Examples are off by (0.6, -0.8) of their error: of 2 and 4 per cent here.
    assert [row[:2] for row in bias_cells(one)] == [["x", "1.80"], ["y", "-2.40"]]
    content = to_dict([one], [])
    assert [row["yaw_deg"] for row in content["by_yaw"]["own detector"]] == [row.name for row in one.yaw]
    assert content["bias_percent"]["own detector"]["mouth"] == pytest.approx({"x": 1.8, "y": -2.4})
    assert "occlusion" not in content
    assert to_dict([], []) == {}
