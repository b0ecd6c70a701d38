"""The pictures of the tracker at work, made of the shipped portrait and generated motion.

python -m docs.tools.pictures [FOLDER]

``live.webp`` is the live view, ``points.svg`` the numbers of the points, ``points-*.svg`` those of other
schemes on a drawn face, ``astronaut.jpg`` a marked portrait, ``draw.webp`` what ``--draw`` draws, and
``masks.webp`` what ``--anonymise`` covers.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
from PIL import Image

from docs.tools.diagrams import FOLDER, svg
from tests.moving_portrait import SIDE, Pose, portrait
from tests.schemes import mean_face
from tracker import (
    SCHEMES,
    Anonymiser,
    DrawStyle,
    FaceDetector,
    Frame,
    FrameResult,
    OpenedTracker,
    Scheme,
    annotate,
    draw_badge,
    open_detector,
    open_tracker,
)
from tracker.drawing.anonymise import Mode
from tracker.runs.live_stats import LiveStats
from tracker.runs.overlay import Overlay, draw_overlay
from tracker.runs.view_texts import hint_spans, status_spans
from tracker.scheme.ibug68 import IBUG68
from tracker.types import FloatArray, ImageArray

FPS, SECONDS = 30, 5
SHOWN_EVERY = 2
SIZE = 480, 360
_ZOOM = 1.22
_BLINKS_S, _BLINK_S = (0.9, 3.3), 0.34
_SPEAKS_S, _SPEECH_S = 1.8, 1.2
DRAWINGS = ("points,lines,box", "points", "lines", "mesh", "none")
_SIDE = 330
_NUMBERED_PX = 620
_COLORS = {"jaw": "#57606a", "brow": "#8250df", "nose": "#1f7a4d", "eye": "#0969da", "lip": "#cf222e"}
_COLORS |= {"mouth": _COLORS["lip"]}


def _shipped() -> ImageArray:
    """Return the shipped portrait, ``(400, 400, 3)`` BGR."""
    data = np.frombuffer(resources.files("tracker").joinpath("assets/astronaut.jpg").read_bytes(), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(image, np.uint8)


def moving_frame(index: int) -> Frame:
    """Return a frame of :data:`SIZE` in which the portrait sways, blinks and speaks; the end is the start."""
    time_s = index / FPS
    posed = portrait(_pose(time_s % SECONDS))
    moved = cv2.warpAffine(
        posed, _sway(time_s), SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return Frame(np.asarray(moved, np.uint8), index, time_s, "portrait")


def live_pictures(tracker: OpenedTracker) -> list[Image.Image]:
    """Return what the live window shows of the moving portrait, as if it came from a camera.

    The motion runs twice, and its second turn is shown, so that the figures are those of a steady run.
    """
    stats, shown = LiveStats(tracker.label), []
    turn = FPS * SECONDS
    figures = stats.status()
    for index in range(2 * turn):
        frame = moving_frame(index)
        result = tracker.step(frame)
        stats.loop.update(frame.time_s, result.stage_ms)
        if index % (FPS // 2) == 0:
            figures = stats.status()
        if index >= turn and index % SHOWN_EVERY == 0:
            canvas = annotate(frame, result)
            draw_overlay(canvas, Overlay(status_spans(figures, len(result.faces)), hint_spans(None)))
            shown.append(Image.fromarray(np.ascontiguousarray(canvas[:, :, ::-1])))
    return shown


def numbered_points(points: FloatArray, scheme: Scheme = IBUG68) -> str:
    """Return the points ``(P, 2)`` with their numbers as SVG, each part of the face in a colour."""
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (_NUMBERED_PX - 70) / (high - low).max()
    places = (points - low) * scale + 35
    width, height = (np.ceil((high - low) * scale) + 70).astype(int)
    colors = [_color_of(part) for part in _part_of_points(scheme)]
    ends = [(*places[a], *places[b], colors[a]) for a, b in scheme.edges]
    lines = "".join(
        f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{color}"/>'
        for x0, y0, x1, y1, color in ends
    )
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="{color}"/>'
        for (x, y), color in zip(places, colors, strict=True)
    )
    numbers = "".join(
        f'<text x="{x:.1f}" y="{y + 4:.1f}" fill="{color}">{number}</text>'
        for number, ((x, y), color) in enumerate(zip(_beside(places, scheme), colors, strict=True))
    )
    drawing = f'<g stroke-opacity="0.45" stroke-width="1.5">{lines}</g>\n{dots}'
    return svg(width, height, f'{drawing}\n<g font-size="12" text-anchor="middle">{numbers}</g>')


def drawings(frame: Frame, result: FrameResult) -> Image.Image:
    """Return the frame once for each of :data:`DRAWINGS`, side by side with their names."""
    return _side_by_side({name: annotate(frame, result, DrawStyle.parse(name)) for name in DRAWINGS})


def masks(frame: Frame, result: FrameResult, detector: FaceDetector) -> Image.Image:
    """Return the frame once for each way to anonymise it, side by side with their names."""
    plain, points = DrawStyle.parse("none"), DrawStyle.parse("points,lines")
    hidden = {mode: Anonymiser(mode, detector).hide_alone(frame, result) for mode in get_args(Mode)}
    return _side_by_side(
        {
            mode: annotate(covered, result, points if mode == "points" else plain)
            for mode, covered in hidden.items()
        }
    )


def main(folder: Path = FOLDER) -> None:
    """Write all pictures to ``folder``."""
    image = _shipped()
    with open_tracker(backend="cpu") as tracker:
        found = tracker.find(image)
        points = found.faces[0].landmarks.points_frame
        frame = Frame(image, 0, 0.0, "astronaut.jpg")
        marked = annotate(frame, found)
        close_up = moving_frame(0)
        there = tracker.find(close_up)
        drawings(close_up, there).save(folder / "draw.webp", quality=80, method=6)
        masks(frame, found, open_detector()).save(folder / "masks.webp", quality=80, method=6)
        first, *others = live_pictures(tracker)
    first.save(
        folder / "live.webp",
        save_all=True,
        append_images=others,
        duration=1000 * SHOWN_EVERY // FPS,
        loop=0,
        quality=66,
        method=6,
    )
    Image.fromarray(np.ascontiguousarray(marked[:, :, ::-1])).save(folder / "astronaut.jpg", quality=90)
    (folder / "points.svg").write_text(numbered_points(_upright(points)), encoding="utf-8")
    for scheme in (SCHEMES["imm58"], SCHEMES["wflw98"], SCHEMES["jd106"]):
        drawn = numbered_points(mean_face(scheme), scheme)
        (folder / f"points-{scheme.name}.svg").write_text(drawn, encoding="utf-8")


def _side_by_side(pictures: Mapping[str, ImageArray]) -> Image.Image:
    """Return the middle of each picture, named at its lower left corner."""
    columns = []
    for name, picture in pictures.items():
        height, width = picture.shape[:2]
        middle = np.ascontiguousarray(picture[:, (width - _SIDE) // 2 : (width + _SIDE) // 2])
        draw_badge(middle, "bottom left", [name], round(height / 15))
        columns.append(cv2.resize(middle, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA))
    joined = np.hstack(columns)
    return Image.fromarray(np.ascontiguousarray(joined[:, :, ::-1]))


def _pose(time_s: float) -> Pose:
    """Return what the face does at ``time_s``: two blinks, and a word between them."""
    phase = 2 * math.pi * time_s / SECONDS
    closed = max(_bump((time_s - start) / _BLINK_S) for start in _BLINKS_S)
    word = (time_s - _SPEAKS_S) / _SPEECH_S
    jaw = 0.16 * _bump(word) * (0.6 - 0.4 * math.cos(6 * math.pi * word))
    return Pose(closed, jaw, yaw_deg=10 * math.sin(phase), pitch_deg=3 * math.sin(2 * phase))


def _sway(time_s: float) -> FloatArray:
    """Return the affine map ``(2, 3)`` from the portrait to the frame at ``time_s``."""
    phase = 2 * math.pi * time_s / SECONDS
    turn = math.radians(4) * math.sin(phase)
    zoom = _ZOOM * (1 + 0.04 * math.sin(phase + 1))
    turned = zoom * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    place = np.array(SIZE) * (0.5 + 0.02 * math.sin(phase), 0.52 + 0.01 * math.sin(2 * phase))
    return np.column_stack([turned, place - turned @ np.full(2, SIDE / 2)])


def _bump(phase: float) -> float:
    """Return a smooth rise and fall from 0 to 1 and back for a phase from 0 to 1, 0 elsewhere."""
    return 0.5 - 0.5 * math.cos(2 * math.pi * phase) if 0 < phase < 1 else 0.0


def _upright(points: FloatArray) -> FloatArray:
    """Return the points turned so that the outer corners of the eyes are level."""
    dx, dy = points[45] - points[36]
    turn = -math.atan2(dy, dx)
    back = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    return np.asarray(points @ back)


def _part_of_points(scheme: Scheme) -> list[str]:
    part_of = {point: part for part, points in scheme.parts.items() for point in points}
    return [part_of.get(point, "eye") for point in range(scheme.n_points)]  # pupils are of no part


def _color_of(part: str) -> str:
    return next(color for name, color in _COLORS.items() if name in part)


def _beside(places: FloatArray, scheme: Scheme) -> FloatArray:
    """Return where the numbers stand: outside the part that a point belongs to."""
    beside = places.copy()
    for part, numbers in scheme.parts.items():
        rows = list(numbers)
        centre = places[rows].mean(axis=0) - (0, 120 if part == "jaw" else 0)
        away = places[rows] - centre
        if "brow" in part or part == "nose_base":
            away = np.tile([0.0, -1.0], (len(rows), 1))
        elif part == "nose_bridge":
            away = np.tile([1.0, 0.0], (len(rows), 1))
        elif part == "inner_lip":
            away = -away
        beside[rows] += 13 * away / np.linalg.norm(away, axis=1, keepdims=True)
    in_parts = [point for part in scheme.parts.values() for point in part]
    beside[np.setdiff1d(np.arange(scheme.n_points), in_parts)] += (13, 0)
    return beside


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
