"""Labelled pictures of one's own for tests: five points, in any of the formats that are read."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from tracker.scheme.value import Scheme
from tracker.types import FloatArray
from train.data.readers import write_pts

HW = (60, 80)

KITE = Scheme(
    "kite",
    5,
    names=("top", "right", "bottom", "left", "tail"),
    edges=((0, 1), (1, 2), (2, 3), (3, 0), (2, 4)),
    mirror=(0, 3, 2, 1, 4),
)


def kites(count: int, seed: int = 0) -> dict[str, FloatArray]:
    """Return points ``(5, 2)``, in hundredths of a pixel, by the names of ``count`` pictures."""
    rng = np.random.default_rng(seed)
    shape = np.array([(0, -20), (14, -4), (0, 12), (-14, -4), (2, 20)])
    return {f"{i:02d}-{i % 3}m.png": (shape + rng.uniform(25, 40, 2)).round(2) for i in range(count)}


def write_pictures(folder: Path, names: Sequence[str]) -> None:
    """Write pictures that differ from each other."""
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        image = np.random.default_rng(number).integers(0, 256, (*HW, 3), np.uint8)
        assert cv2.imwrite(str(folder / name), image)


def write_labels(folder: Path, kind: str, points: Mapping[str, FloatArray]) -> None:
    """Write ``points`` as labels with the suffix ``kind``; names of points are those of :data:`KITE`."""
    if kind == ".pts":
        for name, one in points.items():
            write_pts((folder / name).with_suffix(".pts"), one)
    elif kind == ".asf":
        for name, one in points.items():
            (folder / name).with_suffix(".asf").write_text(asf(name, one))
    elif kind == ".xml":
        (folder / "labels.xml").write_text(imglab(points))
    elif kind == ".json":
        (folder / "labels.json").write_text(json.dumps(coco(points)))
    else:
        write_table(folder / "labels.csv", points)


def asf(name: str, points: FloatArray) -> str:
    """Return an ``.asf`` file."""
    height, width = HW
    rows = [f"0 0 {x / width:.9f} {y / height:.9f} {i} 0 0" for i, (x, y) in enumerate(points)]
    return "\n".join(["# points", str(len(points)), *rows, "# image", name, ""])


def imglab(points: Mapping[str, FloatArray]) -> str:
    """Return an imglab file with parts by name."""
    images = [
        f'<image file="{name}"><box top="0" left="0" width="9" height="9">'
        + "".join(f'<part name="{p}" x="{x}" y="{y}"/>' for p, (x, y) in zip(KITE.names, one, strict=True))
        + "</box></image>"
        for name, one in points.items()
    ]
    return f"<dataset><images>{''.join(images)}</images></dataset>"


def coco(points: Mapping[str, FloatArray]) -> dict[str, object]:
    """Return COCO keypoints, which have the points in the reverse order of the scheme."""
    height, width = HW
    return {
        "images": [
            {"id": i, "file_name": name, "width": width, "height": height} for i, name in enumerate(points)
        ],
        "annotations": [
            {
                "id": i,
                "image_id": i,
                "category_id": 1,
                "keypoints": [float(v) for x, y in one[::-1] for v in (x, y, 2)],
            }
            for i, one in enumerate(points.values())
        ],
        "categories": [{"id": 1, "name": "kite", "keypoints": list(KITE.names[::-1])}],
    }


def write_table(path: Path, points: Mapping[str, FloatArray]) -> None:
    """Write a table with columns by number."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", *(f"{axis}{i}" for i in range(KITE.n_points) for axis in "xy")])
        rows.writerows([name, *one.ravel()] for name, one in points.items())
