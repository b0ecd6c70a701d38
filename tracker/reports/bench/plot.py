"""Where the time of a frame goes, as stacked bars; needs matplotlib, the extra ``plot``."""

from __future__ import annotations

import io
from collections.abc import Sequence

from tracker.errors import BenchError
from tracker.reports.bench.setting import MODES, STAGES, Row

try:
    from matplotlib.figure import Figure
except ImportError as error:
    raise BenchError("--plot needs matplotlib: pip install 'tracker[plot]'") from error

_COLOURS = {
    "detect": "#d1602b",
    "crop": "#8a5fa8",
    "infer": "#2a6fb0",
    "points": "#6aaed6",
    "smooth": "#4b9b61",
    "measure": "#c9b037",
    "other": "#bbbbbb",
}


def draw_rows(rows: Sequence[Row]) -> bytes:
    """A PNG: one bar for each setting, its stages side by side, a panel for each mode."""
    figure = Figure(figsize=(10, 1.6 + 0.42 * _mostshares(rows)), layout="constrained")
    panels = figure.subplots(1, len(MODES), sharey=True, sharex=True, squeeze=False)[0]
    for axes, mode in zip(panels, MODES, strict=True):
        bars = shares([row for row in rows if row.mode == mode])
        left = [0.0] * len(bars)
        for stage, colour in _COLOURS.items():
            values = [parts.get(stage, 0.0) for parts in bars.values()]
            axes.barh(list(bars), values, left=left, color=colour, label=stage, height=0.7)
            left = [a + b for a, b in zip(left, values, strict=True)]
        axes.set_title("every frame detects" if mode == "detect" else mode, fontsize=10)
        axes.set_xlabel("ms a frame, medians", fontsize=9)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.invert_yaxis()
    panels[0].legend(fontsize=7, frameon=False, loc="lower right")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()


def _mostshares(rows: Sequence[Row]) -> int:
    return len(shares([row for row in rows if row.mode == MODES[0]]))


def shares(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Stages of each setting, and as ``other`` what its total has beyond them."""
    bars: dict[str, dict[str, float]] = {}
    for row in rows:
        name = (
            f"{row.model} {row.precision}\n{row.provider.removesuffix('ExecutionProvider')}, {row.threads} "
            f"threads, {row.width}x{row.height}, {row.faces} face{'s' if row.faces > 1 else ''}"
        )
        bars.setdefault(name, {})[row.stage] = row.median_ms
    for parts in bars.values():
        inside = sum(parts.get(stage, 0.0) for stage in STAGES if stage in _COLOURS)
        parts["other"] = max(0.0, parts["total"] - inside)
    return bars
