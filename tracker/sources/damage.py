"""Damage records of frames: merging them, and their summary over a whole film."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tracker.types import Damage, Frame


@dataclass
class DamageLog:
    """Sum of the damage of a film's frames.

    ``lost`` counts the missing frames; ``lost_is_known`` is false if the file does not say how many are
    missing at its end. ``guessed`` and ``mended`` count frames with concealed parts and with corrected times,
    ``places`` all damaged frames. ``tail_only`` is true while there is damage at the end of the file only.
    ``first`` describes the first damaged frame.
    """

    lost: int = 0
    lost_is_known: bool = True
    guessed: int = 0
    mended: int = 0
    places: int = 0
    tail_only: bool = True
    first: str = ""

    def add(self, frame: Frame) -> None:
        """Add the damage of ``frame``, if it has any."""
        damage = frame.damage
        if damage is None:
            return
        self.places += 1
        self.lost += damage.lost_before + (damage.lost_after or 0)
        self.lost_is_known &= damage.lost_after is not None
        self.guessed += damage.guessed
        self.mended += damage.time_mended
        self.tail_only &= not (damage.lost_before or damage.guessed or damage.time_mended)
        if not self.first:
            at = f", byte {damage.byte}" if damage.byte is not None else ""
            self.first = f"frame {frame.index} ({frame.time_s:.3f} s{at})"

    def summary(self, path: Path, count: int) -> str:
        """Return one line about the damage of ``path``, of which ``count`` frames were read."""
        if self.tail_only and self.lost_is_known and not self.lost:
            return f"{path} is damaged near {self.first}, but none of its {count} frames seems to be lost"
        if self.tail_only:
            of = f" of {count + self.lost}" if self.lost_is_known and self.lost else ""
            return f"{path} ends after {count}{of} frames: damaged or truncated"
        lost = f"{'' if self.lost_is_known else 'at least '}{self.lost} frames lost"
        parts = [lost] if self.lost else [] if self.lost_is_known else ["frames lost at its end"]
        parts += [f"{self.guessed} guessed at in part"] if self.guessed else []
        parts += [f"{self.mended} with impossible times"] if self.mended else []
        return f"{path} is damaged: {', '.join(parts)}, first at {self.first}; {count} frames were tracked"


def merge(first: Damage | None, second: Damage | None) -> Damage | None:
    """Return the damage of two successive frames of which only the second is kept.

    The byte is that of the first, where it is known.
    """
    if first is None or second is None:
        return first or second
    return Damage(
        first.lost_before + second.lost_before,
        second.lost_after,
        first.guessed or second.guessed,
        first.time_mended or second.time_mended,
        first.byte if first.byte is not None else second.byte,
    )


def with_tail(last: Damage | None, skipped: Damage | None) -> Damage | None:
    """Return the damage of the last frame kept, ``last``, with that of the frames ``skipped`` after it."""
    if skipped is None:
        return last
    lost = None if skipped.lost_after is None else skipped.lost_before + skipped.lost_after
    return merge(last, Damage(0, lost, byte=skipped.byte))
