import base64
import math
import re
import xml.etree.ElementTree as ElementTree

import cv2
import numpy as np
import pytest

from tests.tiny import face_points
from tracker.scheme.ibug68 import EDGES
from train.errors import DataError
from train.evaluation.tiles import Marks, Tile, edges, swatch, tile_svg

NUMBER = r"(-?\d+(?:\.\d+)?)"


def paths(svg: str, style: str) -> list[str]:
    """Return the data of the paths of one class."""
    return [
        path.get("d", "") for path in ElementTree.fromstring(svg).iter("path") if path.get("class") == style
    ]


def starts(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(f"M{NUMBER} {NUMBER}", path)]


def test_a_tile_holds_its_picture_and_its_points_in_pixels() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (40, 60), np.uint8)
    points = face_points((30.0, 20.0), 25.0)
    root = ElementTree.fromstring(svg := tile_svg(Tile(picture, "a face", (Marks(points, "answer"),))))
    assert (root.get("role"), root.get("aria-label")) == ("img", "a face")
    # Pixel (0, 0) is centred on the origin, so the picture begins half a pixel before it.
    assert root.get("viewBox") == "-0.5 -0.5 60 40"
    image = root.find("image")
    assert image is not None
    assert [image.get(key) for key in ("x", "y", "width", "height")] == ["-0.5", "-0.5", "60", "40"]
    kind, _, data = (image.get("href") or "").partition("base64,")
    assert kind == "data:image/png;"
    read = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert read is not None
    assert np.array_equal(read, picture)
    lines, dots = paths(svg, "answer")
    assert np.array(starts(dots)) == pytest.approx(points, abs=0.051)
    assert np.array(starts(lines)) == pytest.approx(points[[start for start, _ in EDGES]], abs=0.051)
    ends = [(float(x), float(y)) for x, y in re.findall(f"L{NUMBER} {NUMBER}", lines)]
    assert np.array(ends) == pytest.approx(points[[end for _, end in EDGES]], abs=0.051)


def test_labels_and_answers_differ_in_more_than_colour() -> None:
    """Dashes tell labels from answers, and shapes tell single points apart, also without colours."""
    picture, face, point = np.zeros((8, 8), np.uint8), face_points((4, 4), 6), np.array([[4.0, 4.0]])
    assert "stroke-dasharray" in tile_svg(Tile(picture, "", (Marks(face, "label"),)))
    assert "stroke-dasharray" not in tile_svg(Tile(picture, "", (Marks(face, "answer"),)))
    shapes = [paths(tile_svg(Tile(picture, "", (Marks(point, s),))), s) for s in ("label", "answer", "other")]
    assert len({tuple(one) for one in shapes}) == 3


@pytest.mark.parametrize("style", ["label", "answer", "other"])
def test_a_single_point_is_a_shape_around_it(style: str) -> None:
    marks = Marks(np.array([[50.0, 30.0]]), style)  # type: ignore[arg-type]
    (path,) = paths(tile_svg(Tile(np.zeros((72, 72), np.uint8), "", (marks,))), style)
    for x, y in starts(path):
        assert 1 < math.hypot(x - 50, y - 30) < 4


def test_unjoined_points_have_dots_only() -> None:
    for points in (face_points((4, 4), 6), np.array([[4.0, 4.0]])):
        svg = tile_svg(Tile(np.zeros((8, 8), np.uint8), "", (Marks(points, "other", joined=False),)))
        (dots,) = paths(svg, "other")
        assert len(starts(dots)) == len(points)


def test_colour_is_kept_and_small_pictures_show_their_pixels() -> None:
    red = np.zeros((200, 200, 3), np.uint8)
    red[..., 2] = 200
    image = ElementTree.fromstring(tile_svg(Tile(red, ""))).find("image")
    assert image is not None
    assert image.get("style") is None
    data = (image.get("href") or "").partition("base64,")[2]
    read = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    assert read[100, 100].tolist() == pytest.approx([0, 0, 200], abs=3)
    assert "pixelated" in tile_svg(Tile(np.zeros((60, 80), np.uint8), ""))


def test_descriptions_are_escaped() -> None:
    evil = """"><script>alert('x')</script>&"""
    root = ElementTree.fromstring(tile_svg(Tile(np.zeros((4, 4), np.uint8), evil)))
    assert root.get("aria-label") == evil


def test_schemes_without_edges_are_not_joined() -> None:
    assert edges(68) == EDGES
    assert len(edges(58)) == 12 + 8 + 8 + 4 + 4 + 8 + 10
    assert edges(5) == ()


def test_marks_are_checked() -> None:
    for points in (np.zeros(2), np.zeros((3, 3)), np.array([[math.nan, 1.0]])):
        with pytest.raises(DataError, match="finite points"):
            Marks(points, "label")


def test_a_swatch_looks_like_what_it_explains() -> None:
    assert "stroke-dasharray" in swatch("label", single=False)
    assert len(paths(swatch("answer", single=False), "answer")) == 2
    assert len(paths(swatch("answer", single=True), "answer")) == 1
