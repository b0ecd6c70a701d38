"""Processes of a command: which is the first of a distributed run, and how Ctrl-C ends it before its work."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


def is_first_process() -> bool:
    """Return whether this process reports to the user.

    With several devices or machines the program runs once in each.
    """
    return all(os.environ.get(name, "0") == "0" for name in ("LOCAL_RANK", "NODE_RANK", "GROUP_RANK"))


@contextmanager
def ended_by_interrupt() -> Iterator[None]:
    """Let Ctrl-C end the process at once, with exit code 130, while its modules are imported.

    Nothing is open yet then, and an exception inside an import may come out as another.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else it is ignored, as in the background of a shell
        signal.signal(signal.SIGINT, lambda number, _: os._exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def was_interrupted(error: BaseException) -> bool:
    """Return whether Ctrl-C led to ``error``: a module whose import is interrupted may raise another."""
    chain: list[BaseException | None] = [error]
    while (last := chain[-1]) is not None and not isinstance(last, KeyboardInterrupt):
        link = last.__cause__ or last.__context__
        chain.append(None if link in chain else link)
    return last is not None
