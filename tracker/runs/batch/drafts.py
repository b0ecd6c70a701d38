"""Drafts: hidden files that become results or records once they are complete."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"\.(.+)\.[0-9a-f]{8}\.part", re.DOTALL)


def draft_of(path: Path) -> Path:
    """Return a new name beside ``path`` for its draft; every call gives another one."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


def remove_drafts(paths: Iterable[Path]) -> None:
    """Remove the drafts that killed workers left of the files ``paths``; none may be being written."""
    names: dict[Path, set[str]] = {}
    for path in paths:
        names.setdefault(path.parent, set()).add(path.name)
    for parent, known in names.items():
        with suppress(OSError):
            drafts = [p for p in parent.iterdir() if (m := _NAME.fullmatch(p.name)) and m[1] in known]
            for draft in drafts:
                draft.unlink()
