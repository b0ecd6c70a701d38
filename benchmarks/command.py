"""How every benchmark starts from the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tracker.errors import TrackerError
from train.errors import TrainError

ModelOption = Annotated[str, typer.Option(help="Landmark model of the manifest.")]
BackendOption = Annotated[str, typer.Option(help="Backend of the landmark model.")]
ThreadsOption = Annotated[int, typer.Option(min=1, help="Threads of inference.")]
JsonOption = Annotated[
    Path | None, typer.Option("--json", metavar="OUT.json", help="Write the figures to this file.")
]


def run_command(main: Callable[..., None]) -> None:
    """Run ``main`` with the options of the command line; a known error is one line and exit code 1."""
    try:
        typer.run(main)
    except (TrackerError, TrainError) as error:
        typer.echo(f"benchmark: {error}", err=True)
        sys.exit(1)
