"""Numbers in text files: plain decimal ones, such as ``-1.5`` and ``2e-3``.

``int`` and ``float`` also take what no file of numbers holds but by mistake: underscores as in ``1_000``,
digits of other scripts, ``nan`` and ``infinity``.
"""

from __future__ import annotations

import math
import re

_BLANKS = " \t"
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")


def decimal(text: str) -> float:
    """Return the decimal number that ``text`` holds, between blanks or not.

    Raises ``ValueError`` for any other text, and for a number beyond those of a double.
    """
    if _DECIMAL.fullmatch(plain := text.strip(_BLANKS)) and math.isfinite(number := float(plain)):
        return number
    raise ValueError(f"{text!r:.60} is no decimal number")


def whole(text: str) -> int:
    """Return the whole number of up to 18 digits that ``text`` holds, between blanks or not.

    Raises ``ValueError`` for any other text.
    """
    if _WHOLE.fullmatch(plain := text.strip(_BLANKS)):
        return int(plain)
    raise ValueError(f"{text!r:.60} is no whole number")
