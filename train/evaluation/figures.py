"""Plots of numbers, without faces: each function takes values and returns a matplotlib figure."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tracker.types import FloatArray
from train.evaluation.results import Evaluation, Measure, scores
from train.metrics import area_under_curve, cumulative_curve

PALETTE = ("#2f7fc4", "#d1602b", "#4b9b61", "#8f63b0")
"""Colours that stand out, by 3 to 1 and more, from a white page and from a dark one."""
_DPI = 110

_GROUND, _INK = "#15181d", "#e4e7eb"
_DARK: dict[Any, Any] = {
    **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), _GROUND),
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
}


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG file, always the same bytes for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def themed(draw: Callable[[], Figure]) -> tuple[bytes, bytes]:
    """Return the figure that ``draw`` makes as two PNG files: for a light page, and for a dark one."""
    light = png(draw())
    with rc_context(_DARK):
        return light, png(draw())


def error_curves(evaluations: Mapping[str, Evaluation]) -> Figure:
    """Plot the cumulative error distribution: a panel for each subset, a step curve for each evaluation.

    Heights are per cent of the subset's faces. The x axis ends at the error above which a face counts as
    failed, or at the end of the area under the curve if that is farther, or where the curves of a network
    end that fails on most faces; then a dotted line marks the first. The legend has the names of
    ``evaluations``, all of one measure, and the area under each curve.
    """
    measure = next(iter(evaluations.values())).measure
    groups = {name: None for evaluation in evaluations.values() for name in evaluation.groups()}
    end = _axis_end(measure, [evaluation.errors for evaluation in evaluations.values()])
    figure, shown = panels(len(groups), columns=3, width=3.9 if len(groups) > 1 else 6.5, height=3.4)
    for axes, group in zip(shown, groups, strict=True):
        for (name, evaluation), colour in zip(evaluations.items(), cycle(PALETTE)):
            if group in evaluation.groups():
                label = _area_label(name, evaluation, group)
                at, share = cumulative_curve(evaluation.errors[evaluation.groups()[group]], end)
                axes.plot(at, 100 * share, drawstyle="steps-post", color=colour, label=label)
        axes.set_title(group, fontsize=10, parse_math=False)
        axes.set_xlim(0, end)
        axes.set_ylim(0, 101)  # the line at 100 % keeps its full width
        axes.set_xlabel(measure.error_name, fontsize=9)
        axes.set_ylabel("faces with at most that error", fontsize=9)
        axes.yaxis.set_major_formatter(PercentFormatter())
        if end > measure.failure:
            axes.axvline(measure.failure, color="#808080", linestyle=":", linewidth=1.2)
        axes.legend(loc="best", fontsize=8, frameon=False)
        plain_axes(axes)
    return figure


def part_bars(evaluations: Mapping[str, Evaluation]) -> Figure:
    """Plot the mean error of each part over all faces found: a group of bars a part, a bar an evaluation."""
    measure = next(iter(evaluations.values())).measure
    heights = {}
    for name, evaluation in evaluations.items():
        total = scores(evaluation)[-1]
        heights[f"{name} ({total.subset})"] = [total.parts[part] for part in measure.parts]
    return bars(list(measure.parts), heights, f"mean {measure.error_name}")


def bars(groups: Sequence[str], heights: Mapping[str, Sequence[float]], label: str) -> Figure:
    """Plot a group of bars for each of ``groups``, in it one bar for each name in ``heights``.

    ``label`` is the label of the y axis.
    """
    figure, (axes,) = panels(1, columns=1, width=7.0, height=3.0)
    places, width = np.arange(len(groups)), 0.8 / len(heights)
    for i, ((name, values), colour) in enumerate(zip(heights.items(), cycle(PALETTE))):
        offset = (i - (len(heights) - 1) / 2) * width
        drawn = axes.bar(places + offset, values, width * 0.92, label=name, color=colour)
        axes.bar_label(drawn, fmt="%.2f", fontsize=8, padding=2)
    axes.set_xticks(places, groups)
    axes.set_ylabel(label, fontsize=9)
    axes.margins(y=0.15)
    axes.legend(fontsize=8, frameon=False)
    plain_axes(axes)
    return figure


def filter_grid(kernels: FloatArray) -> Figure:
    """Show the ``(F, H, W)`` kernels of a convolution as pictures on one scale.

    Positive weights are white, negative ones black, 0 is grey.
    """
    columns = min(16, len(kernels))
    figure, shown = panels(len(kernels), columns=columns, width=0.6, height=0.6, pad=0.02)
    bound = max(float(np.abs(kernels).max()), 1e-12)
    for axes, kernel in zip(shown, kernels, strict=True):
        axes.imshow(kernel, cmap="gray", vmin=-bound, vmax=bound, interpolation="nearest")
        axes.set_axis_off()
    return figure


def _area_label(name: str, evaluation: Evaluation, group: str) -> str:
    measure, errors = evaluation.measure, evaluation.errors[evaluation.groups()[group]]
    area = 100 * area_under_curve(errors, measure.limit)
    return f"{name}, AUC to {measure.limit:g} {measure.unit}: {area:.1f} %"


def _axis_end(measure: Measure, errors: Sequence[FloatArray]) -> float:
    """Return the error at which curves of ``errors`` end: farther if most of all of them would be outside."""
    end = max(measure.failure, measure.limit)
    found = [values[np.isfinite(values)] for values in errors]
    if all(np.median(values) <= end for values in found if len(values)):
        return end
    return max(end, *(float(np.percentile(values, 95)) for values in found if len(values)))


def plain_axes(axes: Axes) -> None:
    """Apply the style of all plots of this project: small numbers, faint horizontal lines, no frame."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", color="#808080", alpha=0.25, linewidth=0.7)  # faint on light and on dark
    axes.set_axisbelow(True)


def panels(
    count: int, columns: int, width: float, height: float, pad: float = 0.08
) -> tuple[Figure, list[Axes]]:
    """Create a figure of ``count`` axes, ``columns`` in a row, each ``width`` x ``height`` inches."""
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(columns * width, rows * height), layout="constrained")
    figure.get_layout_engine().set(w_pad=pad, h_pad=pad)  # type: ignore[union-attr, call-arg]
    grid: list[Any] = list(figure.subplots(rows, columns, squeeze=False).flat)
    for unused in grid[count:]:
        unused.remove()
    return figure, grid[:count]
