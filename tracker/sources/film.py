"""What videos and numbered pictures have in common: a film, which part of it is wanted, what it lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, Self

from tracker.errors import SourceError
from tracker.sources.trim import Trim
from tracker.types import Damage, Frame, ImageArray


class Film(Protocol):
    """Frames of a file in order, and what an output needs to know to be like it.

    ``paths`` are the files that it is read from, ``size`` is (width, height) in pixels of an upright frame,
    ``fps`` the average rate, ``is_steady`` whether that is the rate throughout, ``frame_count`` how many
    frames there should be (``None``: not known), ``time_base`` the seconds per tick of its clock, ``end_s``
    when the last frame goes (``None``: not known), ``pixel_aspect`` width over height of a pixel,
    ``has_audio`` whether there is sound, ``trim`` which part is read. ``exhausted`` turns true once the file
    was read to its end; ``last_s`` is the time of the newest frame that was yielded.
    """

    path: Path
    paths: Sequence[Path]
    name: str
    size: tuple[int, int]
    fps: Fraction
    is_steady: bool
    frame_count: int | None
    time_base: Fraction
    end_s: float | None
    pixel_aspect: Fraction
    has_audio: bool
    trim: Trim
    exhausted: bool
    last_s: float | None

    def __iter__(self) -> Iterator[Frame]:
        """The frames, once. Raises :class:`~tracker.errors.SourceError` after the last if some are lost."""

    def __enter__(self) -> Self:
        """Itself."""

    def __exit__(self, *error: Any) -> None:
        """Close, whatever ended the block."""

    def close(self) -> None:
        """Free what is held; closing twice is fine."""


@dataclass(frozen=True)
class Pending:
    """A :class:`Frame` whose pixels are not there yet: ``image`` makes them."""

    image: Callable[[], ImageArray]
    index: int
    time_s: float
    source: str
    damage: Damage | None

    def frame(self) -> Frame:
        """The frame with its pixels."""
        return Frame(self.image(), self.index, self.time_s, self.source, damage=self.damage)


class Selection:
    """Takes the frames that a :class:`Trim` wants; ``reached_end`` says whether none was left unread."""

    def __init__(self, trim: Trim) -> None:
        self._trim = trim
        self.reached_end = False

    def of(self, frames: Iterable[Pending]) -> Iterator[Frame]:
        """The wanted ones of ``frames``. One that is kept tells of the damage of those that are not."""
        held: Pending | None = None
        untold: Damage | None = None
        wanted = 0
        for pending in frames:
            if pending.time_s >= self._trim.end_s:
                break
            untold = merge(untold, pending.damage)
            if not self._trim.has_begun(pending.time_s):
                continue
            wanted += 1
            if (wanted - 1) % self._trim.every:
                continue
            if held:
                yield held.frame()
            held, untold = replace(pending, damage=untold), None
        else:
            self.reached_end = True
        if held:
            yield replace(held, damage=_with_tail(held.damage, untold)).frame()


@dataclass
class DamageLog:
    """Sums up the damage that a film's frames were yielded with."""

    lost: int = 0
    lost_is_known: bool = True
    guessed: int = 0
    mended: int = 0
    places: int = 0
    tail_only: bool = True
    first: str = ""

    def add(self, frame: Frame) -> None:
        """Take in ``frame``, which may be sound."""
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
        """One line about ``path``, of which ``count`` frames could be had."""
        if self.tail_only and self.lost_is_known and not self.lost:
            return f"{path} is damaged near {self.first}, but none of its {count} frames seems to be lost"
        if self.tail_only:
            of = f" of {count + self.lost}" if self.lost_is_known and self.lost else ""
            return f"{path} ends after {count}{of} frames: damaged or truncated"
        lost = f"{'' if self.lost_is_known else 'at least '}{self.lost} frames lost"
        parts = [lost] if self.lost else [] if self.lost_is_known else ["frames lost at its end"]
        parts += [f"{self.guessed} guessed at in part"] if self.guessed else []
        parts += [f"{self.mended} with impossible times"] if self.mended else []
        return f"{path} is damaged: {', '.join(parts)}, first at {self.first}; {count} frames are done"


def selected(film: Film, frames: Iterable[Pending]) -> Iterator[Frame]:
    """Those of all ``frames`` of ``film`` that its trim wants.

    Raises :class:`SourceError` after the last if some are lost, or if there is none.
    """
    log, count, selection = DamageLog(), 0, Selection(film.trim)
    for frame in selection.of(frames):
        log.add(frame)
        count += 1
        film.last_s = frame.time_s
        yield frame
    film.exhausted = selection.reached_end
    if not count:
        raise SourceError(f"{film.path} shows nothing from {film.trim.start_s} s on: choose another --start")
    if log.places:
        raise SourceError(log.summary(film.path, count))


def merge(first: Damage | None, second: Damage | None) -> Damage | None:
    """The damage of two frames in turn, of which only the second is kept; the place is the first's."""
    if first is None or second is None:
        return first or second
    return Damage(
        first.lost_before + second.lost_before,
        second.lost_after,
        first.guessed or second.guessed,
        first.time_mended or second.time_mended,
        first.byte if first.byte is not None else second.byte,
    )


def _with_tail(damage: Damage | None, behind: Damage | None) -> Damage | None:
    """``damage`` of the last frame kept, with that of the frames ``behind`` it that are not."""
    if behind is None:
        return damage
    lost = None if behind.lost_after is None else behind.lost_before + behind.lost_after
    return merge(damage, Damage(0, lost, byte=behind.byte))
