"""Command line of the benchmarks: shared options, one-line errors, JSON reports."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tracker.errors import TrackerError
from tracker.system.machine import describe_machine
from train.errors import TrainError
from train.files import replace, to_json, try_writing

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


def check_outputs(*paths: Path | None) -> None:
    """Raise :class:`~train.errors.RunError` if one of ``paths`` cannot be written; None is no output."""
    for path in paths:
        if path:
            try_writing(path)


def write_report(path: Path | None, **content: object) -> None:
    """Write the machine and ``content`` to ``path`` as JSON, unless it is None."""
    if path:
        replace(path, to_json({"machine": describe_machine(), **content}).encode())
