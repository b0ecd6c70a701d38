"""Messages of the command line on stderr."""

from __future__ import annotations

from pathlib import Path

import typer

from tracker.system.addresses import masked
from tracker.system.terminal import printable


def say(line: str) -> None:
    """Print one line on stderr, without the secrets of addresses in it."""
    typer.echo(f"tracker: {printable(masked(line))}", err=True)


def show_result(path: Path) -> None:
    """Open ``path``, which a run made, in the system's viewer, or say why it is not opened."""
    from tracker.system.viewer import open_in_viewer

    if why_not := open_in_viewer(path):
        say(f"{path} is not opened: {why_not}")
