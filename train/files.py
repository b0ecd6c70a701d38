"""Files of results: tried before the long work, replaced in one step after it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from train.errors import RunError


def try_writing(path: Path) -> None:
    """Check that :func:`replace` will be able to write ``path``, and leave everything as it is.

    Raises :class:`RunError` if it will not.
    """
    if _is_special(path):
        return
    draft = _draft(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        draft.touch()
        draft.unlink()
    except OSError as error:
        raise _refusal(path, error) from error


def replace(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``; whatever goes wrong, a file that was there before stays whole.

    Raises :class:`RunError` if it cannot be written.
    """
    try:
        if _is_special(path):
            path.write_bytes(content)
            return
        with replacing(path) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise _refusal(path, error) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a draft beside ``path``, with its suffix, that takes its place when the block ends well.

    Whatever goes wrong, the draft is removed and a file that was there before stays whole.
    """
    draft = _draft(path)
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make the folder ``path`` if it is not there. Raises :class:`RunError` if that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{path} cannot be made: {error.strerror}; choose another folder") from error


def _is_special(path: Path) -> bool:
    """A pipe or a device such as /dev/stdout, which is written to and not replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _draft(path: Path) -> Path:
    return path.with_name(f"{path.stem}.part{path.suffix}")


def _refusal(path: Path, error: OSError) -> RunError:
    return RunError(f"{path} cannot be written: {error.strerror}")


def to_json(content: object) -> str:
    """``content`` as indented JSON, with null for NaN, which JSON lacks."""
    return json.dumps(_without_nan(content), indent=2, allow_nan=False) + "\n"


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
