"""A drawn data set for docs/own-points.md: houses with five labelled points, a scheme, and a clip.

``python -m docs.tools.shapes FOLDER`` writes ``FOLDER/pictures`` with ``labels.csv``, ``FOLDER/house.toml``,
and ``FOLDER/clip.avi`` with ``FOLDER/clip.csv``, where its points really are.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]

SIDE = 160
"""Width and height of all pictures in pixels."""

HOUSE: Points = np.array([(0.0, -0.5), (0.42, -0.12), (0.36, 0.5), (-0.36, 0.5), (-0.42, -0.12)])
"""Ridge, right eaves, right foot, left foot, left eaves: x right and y down, one unit high."""

SCHEME = """\
name = "house"
n_points = 5
names = ["ridge", "right_eaves", "right_foot", "left_foot", "left_eaves"]
edges = [[0, 1], [1, 2], [2, 3], [3, 4], [4, 0]]
mirror = [0, 4, 3, 2, 1]

[crop]
box_margin = 1.0  # with --detector none the box is the whole picture: the crop is just that
"""
_SHIFT = 4  # OpenCV takes positions in sixteenths of a pixel


def place(height: float, center: tuple[float, float], turn: float) -> Points:
    """Return the points ``(5, 2)`` of a house ``height`` pixels high, turned clockwise by ``turn`` rad."""
    cos, sin = np.cos(turn), np.sin(turn)
    return np.asarray(height * HOUSE @ np.array([[cos, sin], [-sin, cos]]) + center)


def draw(points: Points, rng: np.random.Generator) -> Picture:
    """Draw a house ``(160, 160, 3)`` BGR on a ground of clouds: dark roof, light wall, a door in it."""
    ground = rng.integers(60, 160, (6, 6, 3), np.uint8)
    image = cv2.resize(ground, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    ridge, right, right_foot, left_foot, left = points
    wall, roof = rng.integers(190, 256, 3).tolist(), rng.integers(0, 60, 3).tolist()
    middle, across, down = (right_foot + left_foot) / 2, (right_foot - left_foot) / 8, (left_foot - left) / 2
    door = np.array([middle - across, middle + across, middle + across - down, middle - across - down])
    for corners, colour in (
        (np.array([right, right_foot, left_foot, left]), wall),
        (np.array([ridge, right, left]), roof),
        (door, roof),
    ):
        fixed = (corners * 2**_SHIFT).round().astype(np.int32)
        cv2.fillConvexPoly(image, fixed, colour, cv2.LINE_AA, _SHIFT)
    return np.asarray(image, np.uint8)


def random_house(rng: np.random.Generator) -> Points:
    """Return the points of a house that fills most of the picture."""
    x, y = rng.normal(SIDE / 2, 5, 2)
    return place(float(rng.uniform(100, 130)), (float(x), float(y)), float(rng.normal(0, 0.15)))


def moving_house(frame: int) -> Points:
    """Return the points of the clip's house: it sways and comes nearer, slowly."""
    phase = frame / 20
    center = (SIDE / 2 + 6 * np.sin(phase), SIDE / 2 + 4 * np.cos(phase))
    return place(115 + 8 * np.sin(phase / 2), center, 0.12 * np.sin(phase))


def write_all(folder: Path, pictures: int, frames: int) -> None:
    """Write data set, scheme and clip to ``folder``, the same on every machine."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    labels = [(f"house{number:03d}.png", random_house(rng)) for number in range(pictures)]
    for name, points in labels:
        cv2.imwrite(str(folder / "pictures" / name), draw(points, rng))
    _write_table(folder / "pictures" / "labels.csv", labels)
    (folder / "house.toml").write_text(SCHEME, encoding="utf-8")
    clip = [(str(frame), moving_house(frame)) for frame in range(frames)]
    video = cv2.VideoWriter(
        str(folder / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (SIDE, SIDE), isColor=True
    )
    for _, points in clip:
        video.write(draw(points, np.random.default_rng(2)))
    video.release()
    _write_table(folder / "clip.csv", clip)


def _write_table(path: Path, rows: Iterable[tuple[str, Points]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", *(f"{axis}{point}" for point in range(len(HOUSE)) for axis in "xy")])
        table.writerows([name, *(f"{value:.3f}" for value in points.ravel())] for name, points in rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the data set to the folder on the command line."""
    parser = argparse.ArgumentParser(prog="python -m docs.tools.shapes", description="Draw a data set.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--frames", type=int, default=100)
    given = parser.parse_args(arguments)
    write_all(given.folder, given.pictures, given.frames)


if __name__ == "__main__":
    main()
