"""The plot in ``docs/tables.md``, drawn from invented results.

python -m benchmarks.example_plot docs/pictures/plot.png
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np

from tracker.reports.plot.figure import draw_timeline
from tracker.reports.plot.timeline import timeline
from tracker.sinks.json_lines import FaceLine, ResultLine

_FPS = 30
_PRESENT_S = {1: ((0, 50), (58, 150)), 2: ((12, 30), (30.5, 90), (95, 140)), 3: ((60, 81),), 4: ((100, 101),)}
_DAMAGED = range(2000, 2040)


def invented_results() -> list[ResultLine]:
    """Return results of two and a half minutes with four people, one of whom only passes by."""
    rng = np.random.default_rng(0)
    blinks, closed = dict.fromkeys(_PRESENT_S, 0), dict.fromkeys(_PRESENT_S, 0)
    lines = []
    for frame in range(150 * _FPS):
        faces = []
        for number, stays in _PRESENT_S.items():
            if frame in _DAMAGED or not any(start <= frame / _FPS < end for start, end in stays):
                continue
            begins = not closed[number] and rng.random() < 0.3 / _FPS
            closed[number] = 6 if begins else max(closed[number] - 1, 0)
            blinks[number] += closed[number] == 1
            faces.append(_face(number, frame / _FPS, closed[number] > 0, blinks[number], rng))
        error = "damaged" if frame in _DAMAGED else None
        lines.append(ResultLine("invented.mp4", frame, frame / _FPS, tuple(faces), error))
    return lines


def _face(number: int, time_s: float, closed: bool, blinks: int, rng: np.random.Generator) -> FaceLine:
    phase = 2.0 * number
    eye = (0.12 if closed else 0.31) + 0.015 * math.sin(0.7 * time_s + phase) + rng.normal(0, 0.006)
    speaks = 0.18 * max(math.sin(5 * time_s + phase), 0) * (math.sin(0.4 * time_s + phase) > 0)
    return FaceLine(
        id=number,
        score=float(np.clip(0.97 + rng.normal(0, 0.008), 0, 1)),
        quality=float(np.clip(0.85 + 0.05 * math.sin(time_s + phase) + rng.normal(0, 0.01), 0, 1)),
        eye_left=float(eye),
        eye_right=float(eye),
        mouth=float(max(0.05 + speaks + rng.normal(0, 0.01), 0)),
        yaw_deg=float(22 * math.sin(0.21 * time_s + phase) + rng.normal(0, 0.6)),
        pitch_deg=float(6 * math.sin(0.33 * time_s + phase) + rng.normal(0, 0.5)),
        roll_deg=float(4 * math.sin(0.5 * time_s + phase) + rng.normal(0, 0.2)),
        blinks=blinks,
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(draw_timeline(timeline(invented_results(), "invented"), "png"))
