"""The command ``python -m train face58``. Slow imports happen when the command runs."""

from __future__ import annotations

from dataclasses import replace

from train.cli.imm_options import FinalOption, train_and_report
from train.cli.options import DataOption
from train.cli.training import Training, with_training


@with_training
def face58(
    data: DataOption,
    training: Training,
    final: FinalOption = False,
) -> None:
    """Train the network for 58 points and write its weights to OUT/face58.safetensors."""
    from train.configs.loading import recipe

    chosen = replace(recipe("face58", training.config, training.changes()), model="face58")
    train_and_report(chosen, data, training, final)
