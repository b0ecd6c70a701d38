"""Diagrams of "How it works", drawn as SVG.

python -m docs.tools.diagrams [FOLDER]
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "pictures"
FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
INK, QUIET, LINE = "#17202a", "#5b6673", "#9aa5b1"
PALE, ACCENT, WARM = "#f1f5f6", "#d5efec", "#fdeed3"
_LINE_PX = 16


@dataclass(frozen=True)
class Box:
    """A rounded box: its place and size in pixels, a title, and small lines below it."""

    x: float
    y: float
    width: float
    height: float
    title: str
    lines: tuple[str, ...] = ()
    fill: str = PALE

    def svg(self) -> str:
        """Return the box as SVG, its text centred."""
        middle = self.x + self.width / 2
        top = self.y + self.height / 2 - len(self.lines) * _LINE_PX / 2 + 5
        texts = [_text(middle, top, self.title, 15, INK, 600)]
        texts += [
            _text(middle, top + _LINE_PX * (i + 1) + 2, line, 12, QUIET) for i, line in enumerate(self.lines)
        ]
        frame = f'<rect x="{self.x:g}" y="{self.y:g}" width="{self.width:g}" height="{self.height:g}"'
        return f'{frame} rx="9" fill="{self.fill}" stroke="{LINE}"/>' + "".join(texts)


@dataclass(frozen=True)
class Arrow:
    """An arrow through ``points`` (x, y), with a label beside its first stretch."""

    points: tuple[tuple[float, float], ...]
    label: str = ""

    def svg(self) -> str:
        """Return the arrow as SVG."""
        path = " ".join(f"{x:g},{y:g}" for x, y in self.points)
        looks = f'fill="none" stroke="{QUIET}" stroke-width="1.6" marker-end="url(#tip)"'
        line = f'<polyline points="{path}" {looks}/>'
        if not self.label:
            return line
        (x0, y0), (x1, y1) = self.points[:2]
        return line + _text((x0 + x1) / 2, (y0 + y1) / 2 - 7, self.label, 12, QUIET)


def frame_diagram() -> str:
    """Return the way of one frame through the tracker."""
    y, height = 76, 82
    stages = [
        ("source", "camera, video,\npictures", PALE),
        ("search", "detector, only\nwhere needed", PALE),
        ("crop", "upright, grey,\n224 x 224", PALE),
        ("network", "68 points, presence,\nquality", ACCENT),
        ("tracking", "ids, smoothing,\nmeasures", PALE),
    ]
    boxes = [
        Box(20 + 166 * i, y, 136, height, title, tuple(lines.split("\n")), fill)
        for i, (title, lines, fill) in enumerate(stages)
    ]
    outs = [
        Box(866, 20, 136, 84, "results", ("JSON, CSV, Parquet,", "OSC, labels"), WARM),
        Box(866, 130, 136, 84, "pictures", ("window, video,", "virtual camera"), WARM),
    ]
    middle = y + height / 2
    arrows = [Arrow(((box.x + 136, middle), (box.x + 166, middle))) for box in boxes[:-1]]
    arrows += [Arrow(((820, middle - 12), (862, 76))), Arrow(((820, middle + 12), (862, 158)))]
    arrows += [Arrow(((752, 158), (752, 196), (420, 196), (420, 162)))]
    note = _text(586, 214, "next frame: the last points say where to crop", 12, QUIET)
    return _drawn(1022, 234, [*boxes, *outs, *arrows], note)


def face_diagram() -> str:
    """Return the life of a face: candidate, followed, lost, gone."""
    boxes = [
        Box(20, 60, 150, 74, "candidate", ("a box of the detector",)),
        Box(290, 60, 150, 74, "followed", ("has an id",), ACCENT),
        Box(560, 60, 150, 74, "lost", ("keeps its id for 3 s",), WARM),
        Box(830, 60, 150, 74, "gone", ("its id is never", "given again")),
    ]
    arrows = [
        Arrow(((170, 97), (286, 97)), "sure enough"),
        Arrow(((440, 84), (556, 84)), "not seen"),
        Arrow(((560, 116), (444, 116))),
        Arrow(((710, 97), (826, 97)), "after 3 s"),
        Arrow(((365, 60), (365, 24), (905, 24), (905, 56))),
    ]
    notes = _text(502, 136, "seen again", 12, QUIET) + _text(635, 18, "a cut of the film", 12, QUIET)
    return _drawn(1000, 154, [*boxes, *arrows], notes)


def rooms_diagram() -> str:
    """Return the rooms of the package, upper ones above those that they import."""
    rows: Sequence[tuple[tuple[str, str], ...]] = (
        (("cli", "options, usage, errors"),),
        (("runs", "loops, window, resume, batch"), ("reports", "plot, bench, steadiness, info")),
        (("sinks", "results and pictures out, one file a format"),),
        (("drawing", "faces on a picture, anonymising"),),
        (("tracking", "faces over time: ids, smoothing, measures"),),
        (("inference", "models, backends, detection"), ("sources", "cameras, videos, pictures")),
        (("system", "files, locks, signals, terminal"),),
        (
            (
                "geometry, types, scheme, errors, distribution",
                "the vocabulary; training code imports only this",
            ),
        ),
    )
    boxes = []
    for row, rooms in enumerate(rows):
        width = (640 - 12 * (len(rooms) - 1)) / len(rooms)
        for i, (title, line) in enumerate(rooms):
            fill = ACCENT if title == "tracking" else PALE
            boxes.append(Box(70 + i * (width + 12), 16 + 64 * row, width, 52, title, (line,), fill))
    arrow = Arrow(((40, 40), (40, 500)))
    label = f'<g transform="rotate(-90 28 270)">{_text(28, 270, "may import", 12, QUIET)}</g>'
    return _drawn(730, 528, [*boxes, arrow], label)


DIAGRAMS = {"frame.svg": frame_diagram, "face.svg": face_diagram, "rooms.svg": rooms_diagram}


def main(folder: Path = FOLDER) -> None:
    """Write all diagrams to ``folder``."""
    for name, draw in DIAGRAMS.items():
        (folder / name).write_text(draw(), encoding="utf-8")


def svg(width: int, height: int, drawing: str) -> str:
    """Return a picture of ``width`` by ``height`` pixels on white paper with round corners."""
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}">'
    paper = f'<rect width="{width}" height="{height}" rx="10" fill="#ffffff"/>'
    return "\n".join([head, paper, drawing, "</svg>", ""])


def _text(x: float, y: float, text: str, size: int, color: str, weight: int = 400) -> str:
    place = f'x="{x:g}" y="{y:g}" text-anchor="middle" font-size="{size}" font-weight="{weight}"'
    return f'<text {place} fill="{color}">{escape(text)}</text>'


def _drawn(width: int, height: int, parts: Iterable[Box | Arrow], more: str = "") -> str:
    tip = f'<path d="M0,0 L8,4 L0,8 z" fill="{QUIET}"/>'
    marker = '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
    drawing = [f'<defs>{marker} orient="auto">{tip}</marker></defs>', *(part.svg() for part in parts)]
    return svg(width, height, "\n".join([*drawing, more]))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
