"""Detection of the first process of a distributed run."""

from __future__ import annotations

import os


def is_first_process() -> bool:
    """Return whether this process reports to the user.

    With several devices or machines the program runs once in each.
    """
    return all(os.environ.get(name, "0") == "0" for name in ("LOCAL_RANK", "NODE_RANK", "GROUP_RANK"))
