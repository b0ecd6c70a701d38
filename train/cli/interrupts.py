"""Ctrl-C during training: a message that tells how to continue, and exit code 130."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from train.processes import is_first_process


@contextmanager
def interruptible(out: Path, how: str = "with --resume ") -> Iterator[None]:
    """Turn a keyboard interrupt into a message and exit code 130.

    The message says that finished epochs are in ``out`` and that the same command continues; ``how`` names
    the option that this needs, followed by a space, or is empty.
    """
    try:
        yield
    except KeyboardInterrupt:
        if is_first_process():
            text = f"train: stopped; finished epochs are kept in {out}: the same command {how}goes on"
            typer.echo(text, err=True)
        raise typer.Exit(130) from None
