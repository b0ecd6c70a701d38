"""Presentation times that never run backwards, from those that a file states, some of them impossible."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TypeVar

T = TypeVar("T")

_MAX_S = 1e9  # three decades: no recording is longer
_MAX_CLOCK_S = 1e12  # a clock that starts beyond is not precise enough for frames


def in_order(items: Iterable[tuple[T, float | None]], step_s: float) -> Iterator[tuple[T, float, bool]]:
    """Yield each item with its time in seconds, never before the previous one, and whether it was corrected.

    ``items`` come with the time that the file states; without one (``None``) an item follows the previous one
    after ``step_s``. A time that is out of line with both its neighbours becomes their mean. After a clock
    that restarts, as where recordings were joined, times continue from where they were: nothing is corrected.
    """
    last, shift = -math.inf, 0.0
    held: tuple[T, float | None] | None = None
    for coming in chain(items, [None]):
        if held is not None:
            item, stated = held
            follows = last + step_s if math.isfinite(last) else 0.0
            is_usable = stated is not None and abs(stated) <= _MAX_CLOCK_S
            time_s = follows if stated is None else stated + shift if is_usable else math.inf
            after = coming[1] + shift if coming and coming[1] is not None else math.inf
            fits_after = last <= after and abs(after) < _MAX_S
            mended = time_s < last or abs(time_s) > _MAX_S or (fits_after and after < time_s)
            if mended and fits_after:
                time_s = (last + after) / 2 if math.isfinite(last) else after - step_s
            elif mended and _restarts(stated, coming) and time_s < last:
                time_s, shift, mended = follows, shift + follows - time_s, False
            elif mended:
                time_s, shift = follows, shift + (follows - time_s if is_usable else 0.0)
            yield item, time_s, mended and stated is not None
            last = time_s
        held = coming


def _restarts(stated: float | None, coming: tuple[T, float | None] | None) -> bool:
    """Return whether times go on from ``stated``, which lies before the last one."""
    if stated is None or abs(stated) > _MAX_S or coming is None or coming[1] is None:
        return False
    return stated <= coming[1] <= _MAX_S
