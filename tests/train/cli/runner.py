"""Type of the ``run`` fixture of the command-line tests."""

from __future__ import annotations

from collections.abc import Callable

Runner = Callable[..., tuple[int | str | None, str, str]]
"""``run(argument, ...)`` returns exit code, stdout and stderr; arguments are converted to strings."""
