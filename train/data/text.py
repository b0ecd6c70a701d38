"""Reading of lines and numbers of label files, with errors that name file and line."""

from __future__ import annotations

import math
from pathlib import Path

from tracker.scheme.decimals import decimal
from train.errors import DataError, in_short

MAX_PIXEL = 1e6
"""Largest plausible coordinate: no image is this wide or high."""


def read_text(path: Path) -> str:
    r"""Read the file as UTF-8 text with ``\n`` line ends; a byte order mark is dropped.

    Raises :class:`DataError` if it cannot be read, is not UTF-8 or holds NUL bytes.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise DataError(f"{path}:{line}: cannot be read: not UTF-8 text") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {in_short(error)}") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DataError(f"{path}:{line}: cannot be read: holds a NUL byte, so it is not text")
    return text


def numbered_lines(path: Path) -> list[tuple[int, str]]:
    """Read the non-blank lines of a file, stripped, each with its number counted from 1."""
    # str.splitlines would also split at form feeds and other marks that editors do not count.
    lines = enumerate(read_text(path).split("\n"), 1)
    return [(number, line.strip()) for number, line in lines if line.strip()]


def coordinate(where: str, text: str) -> float:
    """Parse ``text`` as a coordinate: a decimal number within +-:data:`MAX_PIXEL`.

    Raises :class:`DataError`, beginning with ``where``, for anything else.
    """
    try:
        value = decimal(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= MAX_PIXEL:  # written this way, it is also true for NaN
        raise DataError(f"{where}: expected a finite number up to {MAX_PIXEL:.0f}, got {shorten(text)}")
    return value


def shorten(text: str) -> str:
    """Quote ``text`` on one line, short enough for a message."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
