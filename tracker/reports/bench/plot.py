"""Stacked bars of the time per stage; needs matplotlib, the extra ``plot``."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from tracker import types
from tracker.errors import BenchError
from tracker.reports.bench.records import MODES, StageTiming

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError as error:
    raise BenchError("--plot needs matplotlib: pip install 'tracker[plot]'") from error

_COLOURS = ("#d1602b", "#8a5fa8", "#2a6fb0", "#6aaed6", "#4b9b61", "#c9b037")
_COLOUR_OF = {**dict(zip(types.STAGES, _COLOURS, strict=True)), "other": "#bbbbbb"}


def draw_timings(timings: Sequence[StageTiming]) -> bytes:
    """Return a PNG with a panel for each mode and a bar for each case, its stages side by side."""
    bars_of = {mode: stage_shares([timing for timing in timings if timing.mode == mode]) for mode in MODES}
    figure = Figure(figsize=(10, 1.6 + 0.42 * len(bars_of[MODES[0]])), layout="constrained")
    panels = figure.subplots(1, len(MODES), sharey=True, sharex=True, squeeze=False)[0]
    for axes, (mode, bars) in zip(panels, bars_of.items(), strict=True):
        _draw_bars(axes, bars)
        axes.set_title("every frame detects" if mode == "detect" else mode, fontsize=10)
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
    axes.set_xlabel("ms a frame, medians", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.invert_yaxis()


def stage_shares(timings: Sequence[StageTiming]) -> dict[str, dict[str, float]]:
    """Return the median milliseconds per stage of each case, by its label.

    The stage ``other`` is the part of ``total`` that no stage of tracking explains.
    """
    bars: dict[str, dict[str, float]] = {}
    for timing in timings:
        provider = timing.provider.removesuffix("ExecutionProvider")
        label = (
            f"{timing.model} {timing.precision}\n{provider}, {timing.threads} threads, "
            f"{timing.width}x{timing.height}, {timing.faces} face{'s' if timing.faces > 1 else ''}"
        )
        bars.setdefault(label, {})[timing.stage] = timing.median_ms
    for shares in bars.values():
        explained = sum(shares.get(stage, 0.0) for stage in types.STAGES)
        shares["other"] = max(0.0, shares["total"] - explained)
    return bars
