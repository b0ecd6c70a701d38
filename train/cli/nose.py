"""The command ``python -m train nose``. Slow imports happen when the command runs."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from train.cli.imm_options import FinalOption, default_out, train_and_report
from train.cli.options import (
    BatchSizeOption,
    ConfigOption,
    DataOption,
    DevicesOption,
    EpochsOption,
    LimitOption,
    NodesOption,
    OutOption,
    RateOption,
    ResumeOption,
    SeedOption,
    SetOption,
    ThreadsOption,
    WorkersOption,
)


class Variant(StrEnum):
    """Nose networks by their kernel sizes, which shrink (funnel) or grow (fan) from layer to layer."""

    FUNNEL = "funnel"
    FAN = "fan"


VariantOption = Annotated[
    Variant, typer.Option("--variant", help="Kernels of 7, 5 and 3 pixels (funnel), or of 3, 5 and 7 (fan).")
]


def nose(  # noqa: PLR0913
    data: DataOption,
    variant: VariantOption,
    config: ConfigOption = None,
    out: OutOption = None,
    final: FinalOption = False,
    resume: ResumeOption = False,
    limit: LimitOption = 0,
    epochs: EpochsOption = 0,
    batch_size: BatchSizeOption = None,
    lr: RateOption = None,
    values: SetOption = None,
    seed: SeedOption = None,
    devices: DevicesOption = 1,
    num_nodes: NodesOption = 1,
    threads: ThreadsOption = 0,
    workers: WorkersOption = 0,
) -> None:
    """Train a network for the tip of the nose and write its weights to OUT/nose-VARIANT.safetensors."""
    from train.configs.loading import Changes, recipe
    from train.training.options import RunOptions

    changes = Changes(epochs, batch_size or 0, lr or 0.0, values=tuple(values or ()))
    chosen = replace(recipe("nose", config, changes), model=f"nose-{variant}")
    folder = out or default_out(chosen.model, final)
    options = RunOptions(folder, resume, devices, num_nodes, threads, workers)
    train_and_report(chosen, seed, data, limit, options, final)
