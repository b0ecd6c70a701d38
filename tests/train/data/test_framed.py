from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given

from tracker.types import FloatArray
from train.data.asf import Shot

pytest.importorskip("torch")

from tests.strategies import floats
from tests.tiny import face_points, write_face
from tests.train.imm_files import HW, draw_shot, template_58, write_shot
from tracker.types import FaceBox
from train.data.asf import read_asf
from train.data.framed import Framing, PointMap, framed_picture, framed_pictures
from train.data.imm import ImmCrops, imm_shots, split_people
from train.data.readers import LabelledFace
from train.errors import DataError
from train.metrics import inter_ocular, point_distances
from train.training.imm import locate_68

FIRST_58 = PointMap(np.eye(68, 58))
"""Map that keeps the first 58 points unchanged."""


def random_faces(count: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    faces = np.stack([face_points() for _ in range(count)])
    return faces + rng.normal(0, 6, faces.shape)


def test_a_linear_map_is_recovered() -> None:
    rng = np.random.default_rng(0)
    true = PointMap(rng.dirichlet(np.ones(68), 58).T)
    known = random_faces(400, seed=1)
    found = PointMap.fit(known, true.convert(known))
    others = random_faces(20, seed=2)
    error = point_distances(found.convert(others), true.convert(others)) / inter_ocular(others)[:, None]
    assert error.max() < 0.005  # left by the regularisation: 0.1 against some 400 x 2 x 0.005 a direction


def test_large_and_small_faces_have_the_same_weight() -> None:
    known = random_faces(60, seed=3)
    wanted = FIRST_58.convert(known) + np.random.default_rng(4).normal(0, 2, (60, 58, 2))
    zoom = np.where(np.arange(60) % 2, 1.0, 50.0)[:, None, None]
    plain, zoomed = PointMap.fit(known, wanted), PointMap.fit(known * zoom, wanted * zoom)
    assert zoomed.weights == pytest.approx(plain.weights, abs=1e-9)


@given(floats(-3.1, 3.1), floats(0.1, 10), floats(-500, 500), floats(-500, 500))
def test_a_map_commutes_with_similarity_transforms(angle: float, scale: float, x: float, y: float) -> None:
    point_map = PointMap(np.random.default_rng(5).normal(0, 0.2, (68, 58)))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    face = face_points((0.0, 0.0))
    moved = point_map.convert(face @ turn.T + (x, y))
    assert moved == pytest.approx(point_map.convert(face) @ turn.T + (x, y), abs=1e-6)


@pytest.mark.parametrize("weights", [np.eye(68), np.full((68, 58), np.nan)])
def test_a_map_of_another_shape_is_refused(weights: FloatArray) -> None:
    with pytest.raises(DataError, match="68, 58"):
        PointMap(weights)


def shot(folder: Path, name: str, center: tuple[float, float], width: float) -> Shot:
    points = np.asarray(center) + width * template_58()
    return read_asf(write_shot(folder, name, draw_shot(points), points))


def test_a_framing_places_a_face_as_in_the_shots(tmp_path: Path) -> None:
    one = shot(tmp_path, "01-1m", (70.0, 66.0), 50.0)
    framing = Framing.of([one])
    frame = framing.around(one.points, 80)
    assert frame.center == pytest.approx(((HW[1] - 1) / 2, (HW[0] - 1) / 2))
    assert frame.side == pytest.approx(HW[1])
    assert frame.size == 80
    moved = framing.around(3 * one.points + (40.0, -20.0), 80)
    assert moved.side == pytest.approx(3 * HW[1])
    assert moved.center == pytest.approx(3 * np.array(frame.center) + (40.0, -20.0))


def test_a_framing_is_the_average_of_the_shots(tmp_path: Path) -> None:
    shots = [
        shot(tmp_path, "01-1m", (60.0, 60.0), 40.0),
        shot(tmp_path, "01-2m", (90.0, 50.0), 50.0),
    ]
    middle, each = Framing.of(shots), [Framing.of([one]) for one in shots]
    assert middle.width == pytest.approx((each[0].width + each[1].width) / 2)
    assert middle.offset == pytest.approx(np.mean([one.offset for one in each], axis=0))


@pytest.mark.parametrize("number", [0, 30, 57])
def test_points_follow_their_features_into_the_picture(tmp_path: Path, number: int) -> None:
    """A dot at one point of a large photograph is at that point in the smaller picture as well."""
    points = face_points((700.3, 520.6), width=400.0)
    rows, columns = np.mgrid[:1000, :1400]
    x, y = points[number]
    dot = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 12.0**2))
    cv2.imwrite(str(tmp_path / "dot.png"), np.rint(dot).astype(np.uint8))
    face = LabelledFace(tmp_path / "dot.png", points, "lfpw")
    picture = framed_picture(face, FIRST_58, Framing(3.0, (0.0, 0.1)), 80)
    rows, columns = np.mgrid[: picture.image.shape[0], : picture.image.shape[1]]
    near = np.hypot(columns - picture.points[number][0], rows - picture.points[number][1]) < 12
    light = picture.image * near  # without its mirror images beyond the photograph's edge
    assert light.max() > 200
    middle = np.array([(columns * light).sum(), (rows * light).sum()]) / light.sum()
    # Block averaging and bilinear sampling keep the centroid; rounding to grey levels moves it by hundredths.
    assert middle == pytest.approx(picture.points[number], abs=0.1)
    assert picture.frame.side == pytest.approx(2 * 80, rel=0.01)


def test_pictures_are_extended_beyond_the_photograph_without_a_black_border(tmp_path: Path) -> None:
    """A black border would give away where the face is."""
    face = write_face(tmp_path, "a", face_points(width=150.0))
    picture = framed_picture(face, FIRST_58, Framing(3.2, (0.0, 0.1)), 80)
    seen = picture.frame.cut(picture.image)
    assert (seen > 0).all()
    box = FaceBox.around(picture.frame.to_crop(picture.points))
    assert 80 / max(box.width, box.height) == pytest.approx(3.2)


def test_pictures_follow_the_shots_and_are_cut_like_them(tmp_path: Path) -> None:
    one, seen = shot(tmp_path, "01-1m", (70.0, 66.0), 50.0), []
    faces = [write_face(tmp_path, str(i), face_points(width=60.0 + 30 * i)) for i in range(3)]
    more = framed_pictures(faces, FIRST_58, Framing.of([one]), 80, lambda: seen.append(1))
    assert len(seen) == 3
    crops = ImmCrops([one], 80).followed_by(more)
    assert len(crops) == 4
    for face, picture in zip(faces, more, strict=True):
        kept = framed_picture(face, FIRST_58, Framing.of([one]), 80)
        assert np.array_equal(picture.image, kept.image)
        assert np.array_equal(picture.points, kept.points)
        assert picture.frame == kept.frame
        assert not picture.image.flags.writeable  # a view of a file, not memory of this process
    for index, picture in enumerate(more, start=1):
        image, points, _ = crops[index]
        assert image.shape == (1, 60, 80)
        assert crops.to_image(index, points) == pytest.approx(picture.points, abs=1e-3)
        box = FaceBox.around(points.double().numpy())
        own = FaceBox.around(crops[0][1].double().numpy())
        assert box.center == pytest.approx(own.center, abs=1e-6)
        assert max(box.width, box.height) == pytest.approx(max(own.width, own.height))


def test_a_missing_image_is_refused(tmp_path: Path) -> None:
    face = LabelledFace(tmp_path / "none.png", face_points(), "lfpw")
    with pytest.raises(DataError, match=r"none\.png"):
        framed_picture(face, FIRST_58, Framing(3.0, (0.0, 0.0)), 80)


@pytest.mark.slow
def test_the_shipped_network_sees_the_real_shots(data_dir: Path) -> None:
    """Point 52 of the database is point 33 of 300-W, where the nose meets the upper lip."""
    if not (data_dir / "imm_face_db").is_dir():
        pytest.skip(f"no imm_face_db in {data_dir}")
    shots = split_people(imm_shots(data_dir))[0][::8]
    found, labels = locate_68(shots), np.stack([one.points for one in shots])
    apart = inter_ocular(found)
    assert (point_distances(found[:, [33]], labels[:, [52]])[:, 0] / apart).mean() < 0.05
    point_map = PointMap.fit(found, labels)
    assert (point_distances(point_map.convert(found), labels) / apart[:, None]).mean() < 0.05
