"""Plot of a run's log: training beside validation, each term of the loss, error, learning rate and speed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from train.files import replace
from train.training.log import NAN, Row

_COLOURS = {"training": "#2a6fb0", "validation": "#d1602b"}
_DPI = 110


def write_curves(path: Path, rows: Sequence[Row], unit: str) -> None:
    """Replace the plot ``path`` by that of ``rows`` of the log, errors in ``unit``.

    Raises :class:`~train.errors.RunError` if it cannot be written.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    panels = _panels(rows[-1], unit)
    figure = Figure(figsize=(4.2 * min(3, len(panels)), 2.8 * -(-len(panels) // 3)), layout="constrained")
    grid = list(figure.subplots(-(-len(panels) // 3), min(3, len(panels)), squeeze=False).flat)
    for axes in grid[len(panels) :]:
        axes.remove()
    epochs = [row["epoch"] for row in rows]
    for axes, (title, curves) in zip(grid, panels.items(), strict=False):
        for name, (label, colour) in curves.items():
            values = [row.get(name, NAN) for row in rows]
            axes.plot(epochs, values, color=colour, label=label, linewidth=1.4, marker="." * (len(rows) < 9))
        drawn = [row[name] for row in rows for name in curves if row.get(name, NAN) > 0]
        if len(curves) > 1 and drawn and max(drawn) > 20 * min(drawn):
            axes.set_yscale("log")
        axes.set_title(title, fontsize=10, parse_math=False)
        axes.set_xlabel("epoch", fontsize=9)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(labelsize=8)
        axes.grid(axis="y", color="#e5e5e5", linewidth=0.7)
        axes.spines[["top", "right"]].set_visible(False)
        if len(curves) > 1:
            axes.legend(fontsize=8, frameon=False)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=_DPI, metadata={"Software": None})
    replace(path, content.getvalue())


def _panels(row: Row, unit: str) -> dict[str, dict[str, tuple[str, str]]]:
    """Return the title of each panel with its columns, and the label and colour of each of them."""
    panels = {}
    for name in [name for name in row if name == "loss" or name.startswith("loss_")]:
        title = name.replace("_", ": ")
        panels[title] = {
            name: ("training", _COLOURS["training"]),
            f"validation_{name}": ("validation", _COLOURS["validation"]),
        }
    for title, name in (
        (f"validation error, {unit}", "validation_error"),
        ("mean presence of validation faces", "validation_presence"),
        ("learning rate", "lr"),
        ("training images a second", "images_per_s"),
    ):
        if row[name] == row[name]:  # NaN: nothing validates, or the network does not judge presence
            panels[title] = {name: ("", _COLOURS["validation" if "validation" in name else "training"])}
    return panels
