"""Stacked bars of the time per stage; needs matplotlib, the extra ``plot``."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from tracker.distribution import install_command
from tracker.errors import BenchError
from tracker.reports.bench.records import MODES, PARTS, StageTiming, counted

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError as error:
    raise BenchError(f"--plot needs matplotlib: {install_command('plot')}") from error

_COLOURS = ("#d1602b", "#8a5fa8", "#2a6fb0", "#6aaed6", "#4b9b61", "#c9b037", "#bbbbbb")
_COLOUR_OF = dict(zip(PARTS, _COLOURS, strict=True))


def draw_timings(timings: Sequence[StageTiming]) -> bytes:
    """Return a PNG with a panel for each mode and a bar for each case, its stages side by side."""
    bars_of = {mode: stage_shares([timing for timing in timings if timing.mode == mode]) for mode in MODES}
    figure = Figure(figsize=(10, 1.6 + 0.42 * len(bars_of[MODES[0]])), layout="constrained")
    panels = figure.subplots(1, len(MODES), sharey=True, sharex=True, squeeze=False)[0]
    for axes, (mode, bars) in zip(panels, bars_of.items(), strict=True):
        _draw_bars(axes, bars)
        axes.set_title("every frame detects" if mode == "detect" else mode, fontsize=10)
    panels[0].invert_yaxis()  # of all panels: they share it
    panels[0].legend(fontsize=7, frameon=False, loc="lower right")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()


def _draw_bars(axes: Axes, bars: Mapping[str, Mapping[str, float]]) -> None:
    left = [0.0] * len(bars)
    for stage, colour in _COLOUR_OF.items():
        values = [shares.get(stage, 0.0) for shares in bars.values()]
        axes.barh(list(bars), values, left=left, color=colour, label=stage, height=0.7)
        left = [a + b for a, b in zip(left, values, strict=True)]
    axes.set_xlabel("ms a frame, means", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def stage_shares(timings: Sequence[StageTiming]) -> dict[str, dict[str, float]]:
    """Return the mean milliseconds of each of the parts of a frame for each case, by its label."""
    bars: dict[str, dict[str, float]] = {}
    for timing in timings:
        if timing.stage in PARTS:
            threads, faces = counted(timing.threads, "thread"), counted(timing.faces, "face")
            label = f"{timing.label}, {threads}\n{timing.width}x{timing.height}, {faces}"
            bars.setdefault(label, {})[timing.stage] = timing.mean_ms
    return bars
