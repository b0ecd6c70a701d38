"""Selection of a part of a film by start, end and step.

Imports no image library: the command line needs it at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Trim:
    """Every ``every``-th frame from ``start_s`` to before ``end_s``, in seconds of the film's own clock.

    Raises:
        ValueError: The start is below 0, the end is not after it, or ``every`` is below 1.
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
        """Return whether ``time_s`` has reached the start; a start of 0 includes negative times."""
        return self.start_s == 0 or time_s >= self.start_s

    def count(self, frames: int | None, fps: Fraction) -> int | None:
        """Return about how many of ``frames`` at ``fps`` are selected, ``None`` if ``frames`` is unknown."""
        if frames is None:
            return None
        wanted = min(frames, math.inf if math.isinf(self.end_s) else round(self.end_s * fps))
        return max(math.ceil((wanted - round(self.start_s * fps)) / self.every), 0)


WHOLE = Trim()
"""The whole film."""
