"""``tracker --video`` of a film whose pixels are not square, against the same film with square ones."""

from __future__ import annotations

import csv
import math
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest

from tests.batches import LIGHT_ARGUMENTS
from tests.cli import run_cli
from tests.faces import astronaut
from tests.portraits import write_film
from tests.results import read_json_lines
from tracker.sources.video.source import VideoSource
from tracker.types import ImageArray


def pictures(size: tuple[int, int]) -> list[ImageArray]:
    """Return ten pictures of a face that drifts, of 640x640 square pixels, stored as ``size``."""
    image = astronaut()
    windows = [np.ascontiguousarray(image[20:340, 20 + 2 * i : 340 + 2 * i]) for i in range(10)]
    large = [cv2.resize(window, (640, 640), interpolation=cv2.INTER_CUBIC) for window in windows]
    return [np.asarray(cv2.resize(one, size, interpolation=cv2.INTER_AREA), np.uint8) for one in large]


def tracked(path: Path, *more: object) -> tuple[list[dict[str, Any]], str]:
    lines = path.with_suffix(".jsonl")
    done = run_cli(*LIGHT_ARGUMENTS, "--video", path, "--json", lines, "--no-window", *more)
    assert done.exit_code == 0, done.stderr
    return read_json_lines(lines), done.stderr


@pytest.fixture(scope="module")
def square(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    lines, said = tracked(write_film(tmp_path_factory.mktemp("square") / "a.mp4", pictures((640, 640))))
    assert "pixels" not in said
    return lines


@pytest.mark.parametrize(
    ("aspect", "size"),
    [(Fraction(2), (452, 904)), (Fraction(1, 2), (904, 452)), (Fraction(10, 11), (672, 610)),
     (Fraction(4, 3), (554, 738))],
)  # fmt: skip
def test_a_film_gives_the_same_whatever_its_pixels(
    tmp_path: Path, square: list[dict[str, Any]], aspect: Fraction, size: tuple[int, int]
) -> None:
    path = write_film(tmp_path / "a.mp4", pictures(size), tags={"sample_aspect_ratio": cast(int, aspect)})
    lines, said = tracked(path, "--csv", tmp_path / "o.csv", "--output", tmp_path / "o.mp4")
    ratio = f"{aspect.numerator}:{aspect.denominator}"
    assert f"tracker: a.mp4 has pixels of {ratio}: measures are those of the picture as it is shown" in said
    assert {line["pixel_aspect"] for line in lines} == {round(float(aspect), 6)}
    assert {(line["width"], line["height"]) for line in lines} == {size}
    assert [[face["id"] for face in line["faces"]] for line in lines] == [[1]] * 10
    assert [[face["id"] for face in line["faces"]] for line in square] == [[1]] * 10
    factor = np.array([640, 640]) / size
    ratios = []
    for line, truth in zip(lines, square, strict=True):
        (face,), (expected,) = line["faces"], truth["faces"]
        points, true_points = np.array(face["landmarks"]), np.array(expected["landmarks"])
        apart = np.linalg.norm((points + 0.5) * factor - 0.5 - true_points, axis=1)
        assert apart.max() < 0.01 * math.dist(true_points[36], true_points[45])
        measures, true = face["measures"], expected["measures"]
        for angle in ("yaw_deg", "pitch_deg", "roll_deg"):
            assert measures[angle] == pytest.approx(true[angle], abs=1)
        ratios.append(np.array(measures["eye_open"]) / true["eye_open"])
    assert np.mean(ratios, axis=0) == pytest.approx(1, abs=0.02)
    with (tmp_path / "o.csv").open(newline="") as file:
        assert [float(row["x30"]) for row in csv.DictReader(file)] == [
            line["faces"][0]["landmarks"][30][0] for line in lines
        ]
    with VideoSource(tmp_path / "o.mp4") as copy:
        assert (copy.size, copy.pixel_aspect) == (size, aspect)


def test_the_copy_is_drawn_on_where_the_face_is_stored(tmp_path: Path) -> None:
    tags = {"sample_aspect_ratio": cast(int, Fraction(2))}
    path = write_film(tmp_path / "a.mp4", pictures((320, 640)), tags=tags)
    lines, _ = tracked(path, "--output", tmp_path / "o.mp4")
    with VideoSource(path) as original, VideoSource(tmp_path / "o.mp4") as copy:
        for before, after, line in zip(original, copy, lines, strict=True):
            changed = np.abs(after.image_bgr.astype(int) - before.image_bgr).max(axis=2) > 60
            for x, y in line["faces"][0]["landmarks"]:
                assert changed[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3].any()
