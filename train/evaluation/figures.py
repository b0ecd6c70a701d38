"""Plots of numbers, without faces: each function takes values and returns a matplotlib figure."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tracker.types import FloatArray
from train.evaluation.results import Evaluation, scores
from train.metrics import Float64Array, area_under_curve, cumulative_curve

COLOURS = {"label box": "#2a6fb0", "whole picture": "#2a6fb0", "own detector": "#d1602b"}
PALETTE = ("#2a6fb0", "#d1602b", "#4b9b61", "#8a5fa8")
_BOOK_KEEPING = frozenset({"epoch", "size", "images_per_s", "elapsed_s"})
_DPI = 110


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG file, always the same bytes for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def training_curves(log: Mapping[str, Float64Array]) -> Figure:
    """Plot each column of a training log that is a result or the learning rate over the epochs.

    NaN leaves a gap, and a column of NaN only gets no panel.
    """
    columns = {
        name: values
        for name, values in log.items()
        if name not in _BOOK_KEEPING and not np.isnan(values).all()
    }
    figure, shown = panels(len(columns), columns=3, width=3.2, height=2.3)
    for axes, (name, values) in zip(shown, columns.items(), strict=True):
        axes.plot(log["epoch"], values, color="#2a6fb0", linewidth=1.3)
        axes.set_title(name, fontsize=10, parse_math=False)
        axes.set_xlabel("epoch", fontsize=9)
        if 0 < 20 * np.nanmin(values) < np.nanmax(values):
            axes.set_yscale("log")
        plain_axes(axes)
    return figure


def error_curves(evaluations: Sequence[Evaluation]) -> Figure:
    """Plot the cumulative error distribution: a panel for each subset, a step curve for each condition.

    Heights are per cent of the subset's faces. The legend gives the area under each curve.
    """
    groups = {name: None for evaluation in evaluations for name in evaluation.groups()}
    figure, shown = panels(len(groups), columns=3, width=3.6, height=3.2)
    for axes, group in zip(shown, groups, strict=True):
        for evaluation in evaluations:
            if group in evaluation.groups():
                _error_curve(axes, evaluation, evaluation.errors[evaluation.groups()[group]])
        axes.set_title(group, fontsize=10, parse_math=False)
        axes.set_xlim(0, evaluations[0].measure.limit)
        axes.set_ylim(0, 100)
        axes.set_xlabel(_error_label(evaluations[0]), fontsize=9)
        axes.set_ylabel("faces, %", fontsize=9)
        axes.legend(loc="lower right", fontsize=8, frameon=False)
        plain_axes(axes)
    return figure


def part_bars(evaluations: Sequence[Evaluation]) -> Figure:
    """Plot the mean error of each part over all faces found: a group of bars a part, a bar a condition."""
    parts, heights, colours = list(evaluations[0].measure.parts), {}, []
    for evaluation in evaluations:
        total = scores(evaluation)[-1]
        heights[f"{evaluation.condition} ({total.subset})"] = [total.parts[part] for part in parts]
        colours.append(COLOURS[evaluation.condition])
    return bars(parts, heights, _error_label(evaluations[0]), colours)


def bars(
    groups: Sequence[str],
    heights: Mapping[str, Sequence[float]],
    label: str,
    colours: Sequence[str] = PALETTE,
) -> Figure:
    """Plot a group of bars for each of ``groups``, in it one bar for each name in ``heights``.

    ``label`` is the label of the y axis.
    """
    figure, (axes,) = panels(1, columns=1, width=7.0, height=3.0)
    places, width = np.arange(len(groups)), 0.8 / len(heights)
    for i, ((name, values), colour) in enumerate(zip(heights.items(), colours, strict=False)):
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


def _error_curve(axes: Axes, evaluation: Evaluation, errors: FloatArray) -> None:
    limit = evaluation.measure.limit
    at, share = cumulative_curve(errors, limit)
    area = 100 * area_under_curve(errors, limit)
    axes.plot(
        at,
        100 * share,
        drawstyle="steps-post",
        color=COLOURS[evaluation.condition],
        label=f"{evaluation.condition}: AUC {area:.1f} %",
    )


def _error_label(evaluation: Evaluation) -> str:
    return "NME, %" if evaluation.measure.unit == "%" else "error, px"


def plain_axes(axes: Axes) -> None:
    """Apply the style of all plots of this project: small numbers, faint horizontal lines, no frame."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", color="#e5e5e5", linewidth=0.7)
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
