"""The command ``python -m train compare-nose``. Slow imports happen when the command runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from train.cli.imm_options import FinalOption
from train.cli.interrupts import interruptible
from train.cli.options import (
    ConfigOption,
    DataOption,
    EpochsOption,
    LimitOption,
    OutOption,
    ThreadsOption,
    WorkersOption,
)

if TYPE_CHECKING:
    from train.studies.noses import NoseRun

RESULTS, FINAL_RESULTS = "comparison.json", "comparison-final.json"

SeedsOption = Annotated[int, typer.Option(min=1, help="Runs of each variant, with seeds from 0 on.")]


def compare_nose(  # noqa: PLR0913
    data: DataOption,
    config: ConfigOption = None,
    out: OutOption = None,
    seeds: SeedsOption = 5,
    final: FinalOption = False,
    limit: LimitOption = 0,
    epochs: EpochsOption = 0,
    threads: ThreadsOption = 0,
    workers: WorkersOption = 0,
) -> None:
    """Train both nose networks with several seeds each, and compare them.

    Each run has a folder of its own in OUT. Called again, the command goes on where it was: what is trained
    is only measured. The table is written to OUT/comparison.json too, or OUT/comparison-final.json.
    """
    from train.configs.loading import Changes, recipe
    from train.studies.noses import nose_runs
    from train.training.options import RunOptions

    folder = out or Path("runs") / "nose"
    options = RunOptions(folder, threads=threads, workers=workers)
    with interruptible(folder, ""):
        chosen = recipe("nose", config, Changes(epochs=epochs))
        runs = _announced(nose_runs(chosen, data, seeds, options, limit, final))
    _print_comparison(runs)
    _write_comparison(runs, final, folder / (FINAL_RESULTS if final else RESULTS))


def _announced(runs: Iterable[NoseRun]) -> list[NoseRun]:
    """Print each run on stderr as soon as it is measured, and return all of them."""
    from rich.console import Console

    console, measured = Console(stderr=True), []
    for run in runs:
        console.print(
            f"{run.variant} seed {run.seed}: {run.mean_px:.2f} px, {100 * run.share_near:.1f} % near"
        )
        measured.append(run)
    return measured


def _print_comparison(runs: Sequence[NoseRun]) -> None:
    from rich.console import Console
    from rich.table import Table

    from train.studies.noses import summarise
    from train.training.imm import NEAR_PX

    table = Table(caption="Mean and standard deviation over the seeds; pixels of 640x480.")
    table.add_column("variant")
    for header in ("seeds", "mean distance px", f"within {NEAR_PX:.0f} px, %"):
        table.add_column(header, justify="right")
    for row in summarise(runs):
        cells = (
            f"{row.mean_px.mean:.2f} ± {row.mean_px.std:.2f}",
            f"{100 * row.share_near.mean:.1f} ± {100 * row.share_near.std:.1f}",
        )
        table.add_row(row.variant, str(row.seeds), *(cell.replace("nan", "-") for cell in cells))
    Console().print(table)


def _write_comparison(runs: Sequence[NoseRun], final: bool, path: Path) -> None:
    from train.files import replace, to_json
    from train.studies.noses import summarise
    from train.training.imm import NEAR_PX

    content = {
        "people": "33-40" if final else "29-32",
        "near_px": NEAR_PX,
        "runs": [asdict(run) for run in runs],
        "summary": [asdict(row) for row in summarise(runs)],
    }
    replace(path, to_json(content).encode())
    typer.echo(f"wrote {path}")
