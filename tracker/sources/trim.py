"""Which part of a film is wanted; light enough for the command line to import at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Trim:
    """The frames from ``start_s`` to before ``end_s`` (seconds, of the film's own clock), each ``every``-th.

    Raises ``ValueError`` for a start below 0, an end that does not follow it, or an ``every`` below 1.
    """

    start_s: float = 0.0
    end_s: float = math.inf
    every: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.start_s < self.end_s or math.isinf(self.start_s):
            raise ValueError(
                f"a start of {self.start_s} s must be 0 or more, and before the end, {self.end_s} s"
            )
        if self.every < 1:
            raise ValueError(f"every must be 1 or more, got {self.every}")

    def has_begun(self, time_s: float) -> bool:
        """Whether ``time_s`` is not before the start; a film whose clock starts below 0 is not cut at 0."""
        return self.start_s == 0 or time_s >= self.start_s

    def count(self, frames: int | None, fps: Fraction) -> int | None:
        """About how many of ``frames`` at ``fps`` are wanted; ``None`` if that is not known."""
        if frames is None:
            return None
        wanted = min(frames, math.inf if math.isinf(self.end_s) else round(self.end_s * fps))
        return max(math.ceil((wanted - round(self.start_s * fps)) / self.every), 0)


WHOLE = Trim()
"""All of a film."""
