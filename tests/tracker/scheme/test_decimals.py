"""Plain decimal numbers are read as Python reads them, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.scheme.decimals import decimal, whole

NO_NUMBERS = [
    "",
    "-",
    ".",
    "1_000",
    "nan",
    "inf",
    "-Infinity",
    "1e",
    "e5",
    "1,5",
    "0x10",
    "1 2",
    "\u0663",
    "\uff11",
]


@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_decimals_are_read_exactly(number: float) -> None:
    assert decimal(repr(number)) == decimal(f" {number!r}\t") == number


@given(st.integers(-(10**17), 10**17))
def test_whole_numbers_are_read_exactly(number: int) -> None:
    assert whole(str(number)) == whole(f"{number:+d} ") == number
    assert decimal(str(number)) == float(number)


@pytest.mark.parametrize("text", ["1.", ".5", "+1.5", "2E-3", "007"])
def test_other_ways_to_write_a_decimal_number(text: str) -> None:
    assert decimal(text) == float(text)


@pytest.mark.parametrize("text", [*NO_NUMBERS, "1e999", "\u20281", "1\n"])
def test_other_text_is_no_decimal_number(text: str) -> None:
    with pytest.raises(ValueError, match="is no decimal number"):
        decimal(text)


@pytest.mark.parametrize("text", [*NO_NUMBERS, "1.0", "1e3", "9" * 19])
def test_other_text_is_no_whole_number(text: str) -> None:
    with pytest.raises(ValueError, match="is no whole number"):
        whole(text)
