"""Checked reading of plain values, such as JSON and TOML hold, by name and kind."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import TypeVar

MOST_VALUES = 10_000
"""Largest number of values in a list."""

MOST_CHARACTERS = 1000
"""Largest length of a text."""

T = TypeVar("T")

Reader = Callable[[object], T]
"""Function that returns a value if it is of the right kind, else raises ``ValueError`` with that kind."""


class Fields:
    """Values of one table by name; ``where`` names the table in errors.

    Each value is read by :meth:`read` or :meth:`require`, and :meth:`end` refuses names that were never asked
    for. All raise ``ValueError`` with a line that names the field, what it must be, and what it is.
    """

    def __init__(self, table: object, where: str) -> None:
        if not isinstance(table, Mapping):
            raise ValueError(f"{where} must be a table, got {shown(table)}")
        self._table = table
        self.where = where
        self._known: list[str] = []

    def read(self, name: str, kind: Reader[T], default: T) -> T:
        """Return the value ``name``, ``default`` where it is missing."""
        return self.require(name, kind) if name in self._table else self._missing(name, default)

    def optional(self, name: str, kind: Reader[T]) -> T | None:
        """Return the value ``name``, None where it is missing."""
        return self.require(name, kind) if name in self._table else self._missing(name, None)

    def require(self, name: str, kind: Reader[T]) -> T:
        """Return the value ``name``, which must be there."""
        self._known.append(name)
        if name not in self._table:
            raise ValueError(f"{self.where} needs {name}")
        try:
            return kind(self._table[name])
        except ValueError as error:
            got = shown(self._table[name])
            raise ValueError(f"{self.where}: {name} must be {error}, got {got}") from None

    def raw(self, name: str) -> object:
        """Return the value ``name`` of any kind, None where it is missing."""
        self._known.append(name)
        return self._table.get(name)

    def table(self, name: str) -> Fields | None:
        """Return the table ``name`` within this one, None where it is missing."""
        self._known.append(name)
        return Fields(self._table[name], f"{self.where}.{name}") if name in self._table else None

    @property
    def plain(self) -> dict[str, object]:
        """All values of the table, of any kind and unchecked."""
        return dict(self._table)

    def end(self) -> None:
        """Refuse names that were not read."""
        for name in self._table:
            if name not in self._known:
                near = difflib.get_close_matches(str(name), self._known, 1)
                what = f"did you mean {near[0]}" if near else f"it has {', '.join(self._known)}"
                raise ValueError(f"{self.where} has no field {shown(name)}: {what}")

    def _missing(self, name: str, default: T) -> T:
        self._known.append(name)
        return default


def shown(value: object) -> str:
    """Return ``value`` as text in one short line."""
    if isinstance(value, Mapping | list | tuple) and len(value) > 100:
        return f"{len(value)} values"
    try:
        text = repr(value)
    except ValueError:  # a number with more digits than Python writes
        return "a very large number"
    return text if len(text) <= 60 else f"{text[:57]}..."


def text(value: object) -> str:
    """Read a printable text of 1 to :data:`MOST_CHARACTERS` characters."""
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= MOST_CHARACTERS:
        return value
    raise ValueError(f"a text of 1 to {MOST_CHARACTERS} printable characters")


def flag(value: object) -> bool:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    raise ValueError("true or false")


def whole(value: object) -> int:
    """Read a whole number from 0 to 10**9."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9:
        return value
    raise ValueError("a whole number from 0 to 1000000000")


def number(value: object) -> float:
    """Read a finite number."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e300:
        return float(value)
    raise ValueError("a finite number")  # comparisons with NaN are false


def positive(value: object) -> float:
    """Read a finite number above 0."""
    try:
        if (found := number(value)) > 0:
            return found
    except ValueError:
        pass
    raise ValueError("a number above 0")


def one_of(*names: str) -> Reader[str]:
    """Return the reader of one of ``names``."""

    def read(value: object) -> str:
        if isinstance(value, str) and value in names:
            return value
        raise ValueError(f"one of {', '.join(names)}")

    return read


def list_of(kind: Reader[T], what: str, length: int | None = None) -> Reader[tuple[T, ...]]:
    """Return the reader of a list of values of a ``kind``, of that ``length`` if it is given."""

    def read(value: object) -> tuple[T, ...]:
        if isinstance(value, list | tuple) and len(value) <= MOST_VALUES and length in (None, len(value)):
            try:
                return tuple(kind(one) for one in value)
            except ValueError:
                pass
        raise ValueError(what)

    return read


wholes = list_of(whole, "a list of numbers of points, which count from 0")
"""Read numbers of points."""

texts = list_of(text, "a list of texts")
"""Read texts."""


def pair(value: object) -> tuple[int, int]:
    """Read two whole numbers."""
    first, second = list_of(whole, "two numbers of points, such as [36, 45]", 2)(value)
    return first, second


def two_numbers(value: object) -> tuple[float, float]:
    """Read two finite numbers."""
    first, second = list_of(number, "two numbers, such as [0.1, -0.2]", 2)(value)
    return first, second


pairs = list_of(pair, "a list of pairs of points, such as [[0, 1], [1, 2]]")
"""Read pairs of numbers of points."""
