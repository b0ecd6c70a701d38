"""Names such as ``frames_%04d.png`` that stand for numbered pictures."""

from __future__ import annotations

import re
from pathlib import Path

NUMBER = re.compile(r"%(0(\d{1,2}))?d")
"""``%d``, or ``%04d`` for a number of at least four digits."""


def is_sequence(path: Path) -> bool:
    """Whether ``path`` stands for numbered pictures and is no file itself."""
    return len(NUMBER.findall(path.name)) == 1 and not path.exists()
