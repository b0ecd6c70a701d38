"""Which of several training processes this is."""

from __future__ import annotations

import os


def is_first_process() -> bool:
    """Whether this is the process that speaks: with several devices or machines the program runs in each."""
    return all(os.environ.get(name, "0") == "0" for name in ("LOCAL_RANK", "NODE_RANK", "GROUP_RANK"))
