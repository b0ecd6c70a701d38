"""Results as one drawing over time: faces, head pose, eyes with blinks, mouth, scores.

Needs matplotlib, the extra ``plot``.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from tracker.distribution import install_command
from tracker.drawing.theme import PRINTED_COLORS
from tracker.errors import ResultsError
from tracker.reports.plot.lines import (
    MOST_POINTS,
    broken,
    displayed,
    frame_step,
    headline,
    longest,
    row_note,
    stretches,
    thin,
    tick,
)
from tracker.reports.plot.measures import EYES, SCORE, Measure, measures_of, panel_title, value_range
from tracker.reports.plot.ours import MADE_BY
from tracker.reports.plot.timeline import FaceSeries, Timeline
from tracker.types import FloatArray

try:
    from matplotlib import rc_context
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator
except ImportError as error:
    raise ResultsError(f"a plot needs matplotlib ({error}): {install_command('plot')}") from error

MOST_DRAWN = 6
"""Most faces with lines of their own: those with the most frames."""

_MOST_TOGETHER = 2  # faces that share a panel; with more, each has a lane of its own
_MOST_ROWS = 24
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM, _BETWEEN, _LANE = 12.0, 0.95, 1.35, 1.15, 0.6, 0.42, 0.5  # inches
_INK, _SOFT, _GRID, _AXIS, _BAD = "#22262b", "#6b7280", "#e6e8eb", "#c4c9cf", "#c81e1e"
_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "text.color": _INK,
    "axes.edgecolor": _AXIS,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "svg.hashsalt": "tracker",
    "text.parse_math": False,  # a file name may hold dollars
}


def colour_of(face_id: int) -> str:
    """Return the colour of a face as ``#rrggbb``; neighbouring ids differ."""
    return PRINTED_COLORS[(face_id - 1) % len(PRINTED_COLORS)]


def draw_timeline(line: Timeline, kind: Literal["png", "svg"]) -> bytes:
    """Return the timeline as a PNG or SVG.

    Up to two faces share each panel; with more, each of the :data:`MOST_DRAWN` with the most frames has a
    lane. The same results give the same bytes with one version of matplotlib.
    """
    rows, drawn = longest(line.faces, _MOST_ROWS), longest(line.faces, MOST_DRAWN)
    lanes = [drawn] if len(drawn) <= _MOST_TOGETHER else [[face] for face in drawn]
    with rc_context(_STYLE):
        figure = _draw(line, rows, lanes)
        buffer = io.BytesIO()
        metadata = {"Software": MADE_BY} if kind == "png" else {"Date": None, "Creator": None}
        with warnings.catch_warnings():  # a missing glyph is drawn as a box
            warnings.filterwarnings("ignore", "Glyph .* missing")
            figure.savefig(buffer, format=kind, dpi=130, metadata=metadata)
    return buffer.getvalue()


def _draw(line: Timeline, rows: Sequence[FaceSeries], lanes: Sequence[Sequence[FaceSeries]]) -> Figure:
    """Return the figure: presence of the faces ``rows``, then each measure of the faces in ``lanes``."""
    first = 0.1 + 0.22 * max(len(rows) + int(line.failed.any()), 1)
    measures = measures_of(line) if lanes[0] else ()
    heights = [measure.inches if len(lanes) == 1 else _LANE * len(lanes) for measure in measures]
    height = _TOP + first + sum(heights) + _BETWEEN * len(heights) + _BOTTOM
    figure = Figure(figsize=(_WIDTH, height), facecolor="white")
    _draw_title(figure, line, height)
    top = height - _TOP
    panels = [_axes(figure, top, first, line)]
    _draw_presence(panels[0], line, rows)
    top -= first + _BETWEEN
    for measure, inches in zip(measures, heights, strict=True):
        share, size = inches / len(lanes), 1.0 if len(lanes) == 1 else 0.8
        panels = [_axes(figure, top - i * share, size * share, line) for i in range(len(lanes))]
        _draw_measure(panels, line, measure, lanes)
        top -= inches + _BETWEEN
    _label_time(panels[-1], line)
    return figure


def _axes(figure: Figure, top: float, inches: float, line: Timeline) -> Axes:
    """Add bare axes over the whole time, their upper edge ``top`` inches above the figure's lower edge."""
    height = figure.get_figheight()
    inner = (_WIDTH - _LEFT - _RIGHT) / _WIDTH
    axes = figure.add_axes((_LEFT / _WIDTH, (top - inches) / height, inner, inches / height))
    axes.spines[:].set_visible(False)
    axes.set_axisbelow(True)
    axes.tick_params(axis="both", labelsize=8, length=0, labelbottom=False)
    if line.is_video:
        axes.set_xlim(float(line.times_s[0]), float(line.times_s[-1]) + frame_step(line))
    else:
        axes.set_xlim(0.5, len(line.times_s) + 0.5)
    steps = [1, 1.5, 2, 3, 5, 6, 10] if line.is_video else [1, 2, 5, 10]
    axes.xaxis.set_major_locator(MaxNLocator(12, steps=steps, integer=not line.is_video))
    return axes


def _draw_title(figure: Figure, line: Timeline, height: float) -> None:
    name = displayed(line.source)
    name = name if len(name) <= 80 else f"{name[:77]}..."
    left = _LEFT / _WIDTH
    figure.text(left, 1 - 0.36 / height, name, fontsize=14, fontweight="bold", va="center")
    figure.text(left, 1 - 0.64 / height, headline(line), fontsize=9.5, color=_SOFT, va="center")


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=8.5, color=_SOFT, pad=5)


def _note(axes: Axes, y: float, text: str, colour: str, weight: str = "normal") -> None:
    """Write ``text`` at the right edge, at ``y`` in data coordinates."""
    axes.annotate(
        text,
        (1.008, y),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize=7.5,
        color=colour,
        annotation_clip=False,
        fontweight=weight,
    )


def _draw_presence(axes: Axes, line: Timeline, rows: Sequence[FaceSeries]) -> None:
    """Draw one row per face: a bar where it is present, a thin line where it is lost in between."""
    order = "faces, largest first" if not line.is_video else "faces; a thin line where one was lost"
    left_out = len(line.faces) - len(rows)
    _title(axes, order + (f"; {left_out} more were seen in fewer frames" if left_out else ""))
    labels = [f"face {face.id}" for face in rows]
    for row, face in enumerate(rows):
        _draw_bars(axes, line, row, stretches(face), colour_of(face.id))
        if line.is_video:
            ends = [line.times_s[face.at[0]], line.times_s[face.at[-1]] + frame_step(line)]
            axes.plot(ends, [row, row], color=colour_of(face.id), linewidth=0.9, alpha=0.6)
        _note(axes, row, row_note(line, face), _SOFT)
    if line.failed.any():
        _draw_bars(axes, line, len(rows), [(at, at) for at in np.flatnonzero(line.failed).tolist()], _BAD)
        labels.append("not read")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(max(len(labels), 1) - 0.4, -0.6)
    for label, face in zip(axes.get_yticklabels(), rows, strict=False):
        label.set_color(colour_of(face.id))
    if not labels:
        centre: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center"}
        axes.text(0.5, 0.5, "no face was found", color=_SOFT, **centre)


def _draw_bars(axes: Axes, line: Timeline, row: int, spans: Sequence[tuple[int, int]], colour: str) -> None:
    """Draw a bar from the first to the last frame of each span; an outline keeps the shortest visible."""
    shift = 0.0 if line.is_video else frame_step(line) / 2
    starts = [float(line.times_s[first]) - shift for first, _ in spans]
    widths = [float(line.times_s[last] - line.times_s[first]) + frame_step(line) for first, last in spans]
    axes.broken_barh(list(zip(starts, widths, strict=True)), (row - 0.31, 0.62), color=colour, linewidth=0.4)


def _draw_measure(
    panels: Sequence[Axes], line: Timeline, measure: Measure, lanes: Sequence[Sequence[FaceSeries]]
) -> None:
    """Draw one measure: all faces in one panel, or each in a lane of the same scale."""
    faces = [face for lane in lanes for face in lane]
    low, high = value_range(measure, faces)
    _title(panels[0], panel_title(measure, line, faces))
    for axes, lane in zip(panels, lanes, strict=True):
        axes.set_ylim(low, high)
        axes.yaxis.set_major_locator(MaxNLocator(4 if len(lanes) == 1 else 2, steps=[1, 2, 5, 10]))
        axes.tick_params(axis="y", labelsize=8 if len(lanes) == 1 else 6.5)
        axes.grid(axis="y", color=_GRID, linewidth=0.8)
        if low < 0:
            axes.axhline(0, color=_AXIS, linewidth=0.8, zorder=1)
        for face in lane:
            _draw_face(axes, line, measure, face, alone=len(lane) == 1)
        if len(lanes) > 1:
            _note(axes, (low + high) / 2, f"face {lane[0].id}", colour_of(lane[0].id), weight="bold")


def _draw_face(axes: Axes, line: Timeline, measure: Measure, face: FaceSeries, alone: bool) -> None:
    """Draw a face's line of a measure; the range between both eyes if it is ``alone`` in the panel."""
    if measure is EYES:
        if line.is_video and alone and len(face.at) <= MOST_POINTS:
            times, (left, right) = broken(line, face, face.values["eye_left"], face.values["eye_right"])
            axes.fill_between(times, left, right, color=colour_of(face.id), alpha=0.25, linewidth=0)
        _mark_blinks(axes, line, face)
    if measure is SCORE:
        _draw_line(axes, line, face, face.values["quality"], second=True)
    _draw_line(axes, line, face, measure.series(face))


def _mark_blinks(axes: Axes, line: Timeline, face: FaceSeries) -> None:
    blinks = line.times_s[face.blink_at]
    low, high = axes.get_ylim()
    heights = np.full(len(blinks), high - 0.03 * (high - low))
    axes.plot(blinks, heights, "v", color=colour_of(face.id), ms=4, mew=0, clip_on=False)


def _draw_line(
    axes: Axes, line: Timeline, face: FaceSeries, values: FloatArray, second: bool = False
) -> None:
    """Draw a line that breaks where the face was lost, or dots for pictures, which are not consecutive."""
    colour = colour_of(face.id)
    if not line.is_video:
        inside = "white" if second else colour
        axes.plot(line.times_s[face.at], values, "o", color=colour, mfc=inside, ms=3.4, mew=0.8)
        return
    times, (values,) = broken(line, face, values)
    times, values = thin(times, values)
    width, style = (0.8, (0, (3, 1.5))) if second else (1.1, "-")
    axes.plot(times, values, color=colour, linewidth=width, linestyle=style)
    padded = np.r_[np.nan, values, np.nan]
    alone = ~np.isnan(values) & np.isnan(padded[:-2]) & np.isnan(padded[2:])
    axes.plot(times[alone], values[alone], "o", color=colour, ms=1.6, mew=0)


def _label_time(axes: Axes, line: Timeline) -> None:
    axes.spines["bottom"].set_visible(True)
    axes.tick_params(axis="x", length=3, labelbottom=True)
    if line.is_video:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value, line)))
    else:
        axes.set_xlabel("picture, in the order of the file", fontsize=8.5, color=_SOFT)
