"""Commands for the IMM Face Database. What is slow to import is imported by the command that needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from train.cli.options import (
    ConfigOption,
    DataOption,
    DevicesOption,
    EpochsOption,
    LimitOption,
    NodesOption,
    OutOption,
    ResumeOption,
    SeedOption,
    ThreadsOption,
    WorkersOption,
    interruptible,
)

if TYPE_CHECKING:
    from train.config import TrainConfig
    from train.training.imm import NoseRun
    from train.training.run import RunOptions

RESULTS, TUNING_RESULTS = "comparison.json", "comparison-tuning.json"


class Variant(StrEnum):
    """Kernels that shrink from layer to layer, or grow."""

    FUNNEL = "funnel"
    FAN = "fan"


VariantOption = Annotated[
    Variant, typer.Option("--variant", help="Kernels of 7, 5 and 3 pixels (funnel), or of 3, 5 and 7 (fan).")
]
TuningOption = Annotated[
    bool,
    typer.Option(
        "--tuning",
        help="Train on people 1-28 and validate on 29-32, to choose a recipe without a look at people 33-40.",
    ),
]
SeedsOption = Annotated[int, typer.Option(min=1, help="Runs of each variant, with seeds from 0 on.")]


def nose(
    data: DataOption,
    variant: VariantOption,
    config: ConfigOption = None,
    out: OutOption = None,
    tuning: TuningOption = False,
    resume: ResumeOption = False,
    limit: LimitOption = 0,
    epochs: EpochsOption = 0,
    seed: SeedOption = None,
    devices: DevicesOption = 1,
    num_nodes: NodesOption = 1,
    threads: ThreadsOption = 0,
    workers: WorkersOption = 0,
) -> None:
    """Train a network for the tip of the nose and write its weights to OUT/nose-VARIANT.safetensors."""
    from train.training.run import RunOptions, recipe

    chosen = replace(recipe("nose", config, epochs), model=f"nose-{variant}")
    folder = out or _default_out(chosen.model, tuning)
    options = RunOptions(folder, resume, devices, num_nodes, threads, workers)
    _train(chosen, seed, data, limit, options, tuning)


def face58(
    data: DataOption,
    config: ConfigOption = None,
    out: OutOption = None,
    tuning: TuningOption = False,
    resume: ResumeOption = False,
    limit: LimitOption = 0,
    epochs: EpochsOption = 0,
    seed: SeedOption = None,
    devices: DevicesOption = 1,
    num_nodes: NodesOption = 1,
    threads: ThreadsOption = 0,
    workers: WorkersOption = 0,
) -> None:
    """Train the network for 58 points and write its weights to OUT/face58.safetensors."""
    from train.training.run import RunOptions, recipe

    chosen = replace(recipe("face58", config, epochs), model="face58")
    folder = out or _default_out(chosen.model, tuning)
    options = RunOptions(folder, resume, devices, num_nodes, threads, workers)
    _train(chosen, seed, data, limit, options, tuning)


def compare_nose(
    data: DataOption,
    config: ConfigOption = None,
    out: OutOption = None,
    seeds: SeedsOption = 5,
    tuning: TuningOption = False,
    limit: LimitOption = 0,
    epochs: EpochsOption = 0,
    threads: ThreadsOption = 0,
    workers: WorkersOption = 0,
) -> None:
    """Train both nose networks with several seeds each, and compare them.

    Each run has a folder of its own in OUT. Called again, the command goes on where it was: what is trained
    is only measured. The table is written to OUT/comparison.json too, or OUT/comparison-tuning.json.
    """
    from rich.console import Console

    from train.training.imm import compare_noses
    from train.training.run import RunOptions, recipe

    folder = out or Path("runs") / "nose"
    options = RunOptions(folder, threads=threads, workers=workers)
    console = Console(stderr=True)

    def say(run: NoseRun) -> None:
        console.print(
            f"{run.variant} seed {run.seed}: {run.mean_px:.2f} px, {100 * run.share_near:.1f} % near"
        )

    with interruptible(folder, ""):
        runs = compare_noses(recipe("nose", config, epochs), data, seeds, options, limit, tuning, say)
    _print_comparison(runs)
    _write_comparison(runs, tuning, folder / (TUNING_RESULTS if tuning else RESULTS))


def _default_out(model: str, tuning: bool) -> Path:
    return Path("runs") / (f"{model}-tuning" if tuning else model)


def _train(
    recipe: TrainConfig, seed: int | None, data: Path, limit: int, options: RunOptions, tuning: bool
) -> None:
    from train.training.imm import train_imm

    if seed is not None:
        recipe = replace(recipe, seed=seed)
    with interruptible(options.out):
        path = train_imm(recipe, data, limit, options, tuning)
    if path is not None:
        typer.echo(f"wrote {path}")


def _print_comparison(runs: Sequence[NoseRun]) -> None:
    from rich.console import Console
    from rich.table import Table

    from train.training.imm import NEAR_PX, summarise

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


def _write_comparison(runs: Sequence[NoseRun], tuning: bool, path: Path) -> None:
    from train.files import replace as replace_file
    from train.files import to_json
    from train.training.imm import NEAR_PX, summarise

    people = "29-32" if tuning else "33-40"
    content = {
        "validation_people": people,
        "near_px": NEAR_PX,
        "runs": [asdict(run) for run in runs],
        "summary": [asdict(row) for row in summarise(runs)],
    }
    replace_file(path, to_json(content).encode())
    typer.echo(f"wrote {path}")
