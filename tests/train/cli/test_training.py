"""Options of a run reach each command for training as one value."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

pytest.importorskip("torch")

from train.cli.options import DataOption
from train.cli.training import CropTraining, Training, with_training
from train.config import Stage, TrainConfig
from train.configs.loading import Changes
from train.training.options import RunOptions


def test_options_stand_where_the_parameter_does_and_reach_it_together() -> None:
    seen: list[object] = []
    app = typer.Typer()

    @app.command()
    @with_training
    def command(data: DataOption, training: CropTraining, final: bool = False) -> None:
        """Train."""
        seen.extend([data, training, final])

    run = CliRunner().invoke
    text = run(app, ["--help"]).output
    assert text.index("--data") < text.index("--epochs") < text.index("--size") < text.index("--final")
    assert "Train each stage" in text
    options = ["--data", "d", "--size", "64", "--set", "a=1", "--set", "b=2", "--num-nodes", "3", "--final"]
    assert run(app, options).exit_code == 0
    assert seen == [Path("d"), CropTraining(size=64, values=["a=1", "b=2"], num_nodes=3), True]
    assert run(app, ["--data", "d", "--size", "1"]).exit_code == 2


def test_values_that_are_not_given_leave_the_recipe_as_it_is() -> None:
    config = TrainConfig("unet", (Stage(64, 1, 1e-3),), seed=5)
    assert Training().changes() == Changes()
    assert Training().seeded(config) is config
    assert Training(seed=0).seeded(config).seed == 0
    given = CropTraining(epochs=2, batch_size=8, lr=0.1, size=64, values=["a=1"])
    assert given.changes() == Changes(2, 8, 0.1, 64, ("a=1",))


def test_the_run_is_in_its_own_folder_unless_another_is_given() -> None:
    assert Training().options(Path("runs/unet")) == RunOptions(Path("runs/unet"))
    given = Training(out=Path("o"), resume=True, devices=2, num_nodes=3, threads=4, workers=5)
    assert given.options(Path("runs/unet")) == RunOptions(Path("o"), True, 2, 3, 4, 5)
