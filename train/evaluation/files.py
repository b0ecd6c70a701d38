"""Result files: tried before the long work, replaced in one step after it."""

from __future__ import annotations

from pathlib import Path

from train.errors import RunError


def try_writing(path: Path) -> None:
    """Check that :func:`replace` will be able to write ``path``, and leave everything as it is.

    Raises :class:`RunError` if it will not.
    """
    if _is_special(path):
        return
    part = _part(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        part.touch()
        part.unlink()
    except OSError as error:
        raise _refusal(path, error) from error


def replace(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``; whatever goes wrong, a file that was there before stays whole.

    Raises :class:`RunError` if it cannot be written.
    """
    part = _part(path)
    try:
        if _is_special(path):
            path.write_bytes(content)
            return
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _refusal(path, error) from error


def make_folder(path: Path) -> None:
    """Make the folder ``path`` if it is not there. Raises :class:`RunError` if that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{path} cannot be made: {error.strerror}; choose another folder") from error


def _is_special(path: Path) -> bool:
    """A pipe or a device such as /dev/stdout, which is written to and not replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _refusal(path: Path, error: OSError) -> RunError:
    return RunError(f"{path} cannot be written: {error.strerror}")
