"""Processor time of drawing on pictures of 1280x720 on one core.

Faces are that of the shipped portrait at several sizes, on noise; texts are rendered before, as in a window
that has run for a while. All drawing with four faces is to take at most 1.5 ms. Run
``python -m benchmarks.drawing``.
"""

from __future__ import annotations

import importlib.resources
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

import cv2
import numpy as np
import typer

from benchmarks.command import JsonOption, check_outputs, run_command, write_report
from tracker.drawing.faces import draw_faces
from tracker.drawing.heads import Head
from tracker.drawing.masks import Mask, cover_heads
from tracker.drawing.style import DEFAULT_STYLE, DrawStyle
from tracker.drawing.text import Span, draw_badge
from tracker.sources.arrays import frame_from
from tracker.tracking.opening import open_tracker
from tracker.types import FaceMeasures, FloatArray, ImageArray, Landmarks, TrackedFace

Draw = Callable[[ImageArray], None]

_HW = (720, 1280)
_SIZES, _COUNTS = (60, 160, 250), (1, 4, 12)  # widths of the faces in pixels, faces
_ROUNDS = 300
_MEASURES = FaceMeasures((0.3, 0.3), 0.1, -12.4, 4.0, 2.0, blinks=7)
_STYLES = {
    "default": DEFAULT_STYLE,
    "points": DrawStyle.parse("points"),
    "mesh,box": DrawStyle.parse("mesh,box"),
    "default and labels": DrawStyle(labels=True),
}


def main(json: JsonOption = None) -> None:
    """Measure the drawing of faces, badges and masks, and print the median of each."""
    check_outputs(json)
    cv2.setNumThreads(1)
    shape = _portrait()
    rows = []
    for size in _SIZES:
        for count in _COUNTS:
            for name, draw in _drawings(shape, size, count):
                ms = _median_ms(draw)
                rows.append({"size": size, "faces": count, "drawing": name, "ms": ms})
                typer.echo(f"{count:3} faces of {size:3} px  {name:20} {ms:6.2f} ms")
    write_report(json, rows=rows)


def _portrait() -> FloatArray:
    """Return the points of the portrait's face, around 0 and with a width of 1."""
    data = importlib.resources.files("tracker").joinpath("assets/astronaut.jpg").read_bytes()
    image = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    with open_tracker("unet-light", "cpu", threads=1) as tracker:
        (face,) = tracker.find(frame_from(image)).faces
    return np.asarray((face.landmarks.points_frame - face.box.center) / face.box.width)


def _drawings(shape: FloatArray, size: float, count: int) -> Iterator[tuple[str, Draw]]:
    """Yield names of drawings, and what draws them on a picture."""
    rng = np.random.default_rng(count)
    centers = rng.uniform(0.1, 0.9, (count, 2)) * _HW[::-1]
    points = [size * shape + center for center in centers]
    faces = [TrackedFace(i, Landmarks(one), _MEASURES) for i, one in enumerate(points, 1)]
    for name, style in _STYLES.items():
        yield name, partial(draw_faces, faces=faces, style=style)
    yield "default and badges", partial(_draw_window, faces=faces)
    heads = [Head.of_points(one) for one in points]
    for kind in ("blur", "pixelate", "solid"):
        yield kind, partial(cover_heads, heads=heads, mask=Mask(kind))


def _draw_window(canvas: ImageArray, faces: list[TrackedFace]) -> None:
    draw_faces(canvas, faces)
    draw_badge(canvas, "bottom left", [Span("30 fps", bold=True), "12 ms", "resnet18", "4 faces"])
    draw_badge(canvas, "bottom right", [Span("h", bold=True), "keys"])
    draw_badge(canvas, "top right", [Span("REC 0:07", bold=True, disc=(90, 90, 255))])


def _median_ms(draw: Draw) -> float:
    """Return the median of the processor's milliseconds that ``draw`` takes on a fresh picture."""
    picture = np.random.default_rng(0).integers(0, 256, (*_HW, 3), np.uint8)
    times_ms = []
    for _ in range(_ROUNDS):
        canvas = picture.copy()
        started = time.thread_time()
        draw(canvas)
        times_ms.append(1000 * (time.thread_time() - started))
    return round(median(times_ms), 3)


if __name__ == "__main__":
    run_command(main)
