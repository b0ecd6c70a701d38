"""Messages of the command line on stderr."""

from __future__ import annotations

import typer

from tracker.system.terminal import printable


def say(line: str) -> None:
    """Print one line on stderr."""
    typer.echo(f"tracker: {printable(line)}", err=True)
