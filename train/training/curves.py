"""Plot of a run's log: training beside validation, each term of the loss, error, learning rate and speed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from train.files import replace
from train.training.log import NAN, Log, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TRAINING, _VALIDATION = "#2f7fc4", "#d1602b"
_DPI = 110
_FEW = 12
"""Number of rows up to which each has a dot: a line of two rows tells little of where they are."""
_DECADE = 10.0
"""Ratio of the largest to the smallest value from which a scale is logarithmic."""

_TERMS = {
    "loss": "loss, sum of its terms",
    "loss_coordinates": "coordinates: wing loss",
    "loss_maps": "maps: cross-entropy, nats",
    "loss_presence": "presence: cross-entropy, nats",
}


class _Panel(NamedTuple):
    """``title``, the columns of the log by label, and whether the scale may be logarithmic."""

    title: str
    columns: dict[str, str]
    decades: bool = True


def write_curves(path: Path, rows: Sequence[Row], unit: str) -> None:
    """Replace the plot ``path`` by that of ``rows`` of the log, errors in ``unit``.

    Raises :class:`~train.errors.RunError` if it cannot be written.
    """
    log = {name: np.array([row.get(name, NAN) for row in rows]) for name in rows[-1]}
    content = io.BytesIO()
    draw_curves(log, unit).savefig(content, format="png", dpi=_DPI, metadata={"Software": None})
    replace(path, content.getvalue())


def draw_curves(log: Log, unit: str) -> Figure:
    """Plot ``log`` over the epochs, errors in ``unit``; a value that is not finite leaves a gap.

    Losses and errors that span a decade have a logarithmic scale.
    """
    from matplotlib.figure import Figure

    panels = [
        panel for panel in _panels(log, unit) if any(_known(log, name) for name in panel.columns.values())
    ]
    if not panels:
        figure = Figure(figsize=(4.2, 1.0))
        figure.text(0.5, 0.5, "the log holds no values yet", ha="center")
        return figure
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.2 * columns, 2.8 * rows), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.1)  # type: ignore[union-attr, call-arg]
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in grid[len(panels) :]:
        axes.remove()
    for axes, panel in zip(grid, panels, strict=False):
        _draw(axes, panel, log)
    return figure


def _draw(axes: Axes, panel: _Panel, log: Log) -> None:
    from matplotlib.ticker import MaxNLocator

    shown = {label: log[name] for label, name in panel.columns.items() if _known(log, name)}
    for label, values in shown.items():
        colour = _TRAINING if label == "training" else _VALIDATION
        few = "." * (len(values) <= _FEW)
        axes.plot(log["epoch"], values, color=colour, label=label, linewidth=1.4, marker=few)
    drawn = np.concatenate(list(shown.values()))
    drawn = drawn[np.isfinite(drawn)]
    low, high = drawn.min(), drawn.max()
    if panel.decades and low > 0 and high > _DECADE * low:
        axes.set_yscale("log")
    elif low >= 0 and high > 0:
        axes.set_ylim(0, 1.06 * high)
    axes.set_title(panel.title, fontsize=10, parse_math=False)
    axes.set_xlabel("epoch", fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", color="#808080", alpha=0.25, linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    if "training" in shown and len(panel.columns) > 1:
        axes.legend(fontsize=8, frameon=False)


def _panels(log: Log, unit: str) -> list[_Panel]:
    losses = [name for name in log if name == "loss" or name.startswith("loss_")]
    return [
        *(
            _Panel(
                _TERMS.get(name, name.replace("_", ": ")),
                {"training": name, "validation": f"validation_{name}"},
            )
            for name in losses
        ),
        _Panel(f"validation: {unit}", {"validation": "validation_error"}),
        _Panel("mean presence of validation faces, 0 to 1", {"validation": "validation_presence"}, False),
        _Panel("learning rate", {"training": "lr"}, False),
        _Panel("training speed, images a second", {"training": "images_per_s"}, False),
    ]


def _known(log: Log, name: str) -> bool:
    """Return whether ``log`` has a finite value in the column ``name``."""
    return name in log and bool(np.isfinite(log[name]).any())
