"""The command line ``python -m train``: one command from each module of this package."""

from __future__ import annotations

import sys

import typer

from train.cli.blend import blend
from train.cli.check_leaks import check_leaks_command
from train.cli.compare_losses import compare_losses
from train.cli.compare_nose import compare_nose
from train.cli.evaluate import evaluate
from train.cli.face58 import face58
from train.cli.landmarks import MODELS, landmark_command
from train.cli.mean_head import mean_head
from train.cli.nose import nose
from train.cli.pictures import pictures
from train.cli.points import points, points_error
from train.cli.presence import presence
from train.cli.pseudo_label import pseudo_label
from train.cli.quality import quality
from train.cli.turned_labels import turned_labels
from train.errors import OwnProcessError, TrainError
from train.processes import is_first_process, was_interrupted

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Train and evaluate landmark models.")

for _model in MODELS:
    app.command(_model)(landmark_command(_model))
app.command()(points)
app.command("points-error")(points_error)
app.command()(nose)
app.command()(face58)
app.command("compare-nose")(compare_nose)
app.command()(evaluate)
app.command("compare-losses")(compare_losses)
app.command()(quality)
app.command()(presence)
app.command()(pictures)
app.command("pseudo-label")(pseudo_label)
app.command("turned-labels")(turned_labels)
app.command("mean-head")(mean_head)
app.command()(blend)
app.command("check-leaks")(check_leaks_command)


def main() -> None:
    """Run the command line; a known error is one line on stderr and exit code 1, Ctrl-C exit code 130."""
    try:
        app()
    except TrainError as error:
        if is_first_process() or isinstance(error, OwnProcessError):
            typer.echo(f"train: {error}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, Exception) as error:
        if was_interrupted(error):
            sys.exit(130)
        raise
