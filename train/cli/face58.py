"""The command ``python -m train face58``. Slow imports happen when the command runs."""

from __future__ import annotations

from dataclasses import replace

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


def face58(  # noqa: PLR0913
    data: DataOption,
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
    """Train the network for 58 points and write its weights to OUT/face58.safetensors."""
    from train.configs.loading import Changes, recipe
    from train.training.options import RunOptions

    changes = Changes(epochs, batch_size or 0, lr or 0.0, values=tuple(values or ()))
    chosen = replace(recipe("face58", config, changes), model="face58")
    folder = out or default_out(chosen.model, final)
    options = RunOptions(folder, resume, devices, num_nodes, threads, workers)
    train_and_report(chosen, seed, data, limit, options, final)
