"""The command ``python -m export parity``: comparison of models and backends with torch, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from export.parity import Faces, ParityRow, compare
from tracker.errors import WeightsError
from tracker.inference.backends import BACKENDS
from tracker.inference.weights import ModelFile, find_model, load_manifest
from train.data.splits import test_faces
from train.errors import DataError
from train.progress import progress_bar


def run(
    data: Path, names: Sequence[str] | None, backends: Sequence[str] | None, limit: int, weights: Path
) -> None:
    """Print the table; nothing is written.

    Raises :class:`~tracker.errors.WeightsError` if float32 does not hold on a backend that opens.
    """
    models = _models(names, weights)
    labelled = test_faces(data)[: limit or None]
    if not labelled:
        raise DataError(f"{data} has no 300-W test faces to compare on")
    with progress_bar("reading faces", len(labelled)) as advance:
        faces = Faces(labelled, advance)
    chosen = tuple(backends or BACKENDS)
    with progress_bar("comparing", None) as advance:
        rows = [row for model in models for row in compare(model, chosen, faces, advance)]
    Console().print(_table([row for row in rows if not row.refusal], len(labelled)))
    for reason in dict.fromkeys(row.refusal for row in rows if row.refusal):
        typer.echo(f"not compared: {reason}")
    broken = [row for row in rows if row.precision == "fp32" and not row.refusal and not row.holds]
    if broken:
        names_of = ", ".join(f"{row.model} on {row.backend}" for row in broken)
        raise WeightsError(f"float32 points differ from torch: {names_of}")


def _models(names: Sequence[str] | None, weights: Path) -> list[ModelFile]:
    if names:
        return [find_model(name, "landmarks", weights) for name in names]
    return [model for model in load_manifest(weights).values() if model.kind == "landmarks"]


def _table(rows: Sequence[ParityRow], count: int) -> Table:
    table = Table(caption=f"Against torch in float32 over {count} faces, cropped by their labels.")
    for header in ("model", "precision", "backend"):
        table.add_column(header)
    for header in ("largest, crop px", "mean, crop px", "NME, %", "loss"):
        table.add_column(header, justify="right")
    for row in rows:
        if row.refusal:
            table.add_row(row.model, row.precision, row.backend, row.refusal)
            continue
        figures = (
            f"{row.largest_px:.5f}",
            f"{row.mean_px:.5f}",
            f"{row.nme_percent:.3f}",
            f"{row.loss:+.3f}",
        )
        table.add_row(row.model, row.precision, row.backend, *figures)
    return table
