"""Type of the ``run`` fixture of the command-line tests, and arguments of short runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Runner = Callable[..., tuple[int | str | None, str, str]]
"""``run(argument, ...)`` returns exit code, stdout and stderr; arguments are converted to strings."""


def dry_run(data: Path, out: Path, *more: object) -> tuple[object, ...]:
    """Return the options of a run of one epoch a stage on 8 faces, followed by ``more``."""
    return ("--data", data, "--out", out, "--limit", 8, "--epochs", 1, "--threads", 1, *more)


def is_one_line(err: str) -> bool:
    """Return whether standard error is one line of the training side."""
    return err.count("\n") == 1 and err.startswith("train: ")
