"""Result files: checked for write access before long work, replaced atomically after it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from train.errors import RunError


def try_writing(path: Path) -> None:
    """Check that :func:`replace` will be able to write ``path``, without changing anything.

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
    """Write ``content`` to ``path`` atomically; on any failure an existing file stays intact.

    Raises :class:`RunError` if the file cannot be written.
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
    """Yield a temporary path beside ``path``, with the same suffix, that replaces it when the block succeeds.

    On any failure the temporary file is removed and an existing file stays intact.
    """
    draft = _draft(path)
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Create the folder ``path`` if it does not exist.

    Raises :class:`RunError` if that fails.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{path} cannot be made: {error.strerror}; choose another folder") from error


def _is_special(path: Path) -> bool:
    """Return whether ``path`` is a pipe or device such as /dev/stdout, which is never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _draft(path: Path) -> Path:
    return path.with_name(f"{path.stem}.part{path.suffix}")


def _refusal(path: Path, error: OSError) -> RunError:
    return RunError(f"{path} cannot be written: {error.strerror}")


def to_json(content: object) -> str:
    """Serialise ``content`` as indented JSON, with null for NaN, which JSON lacks."""
    return json.dumps(_without_nan(content), indent=2, allow_nan=False) + "\n"


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
