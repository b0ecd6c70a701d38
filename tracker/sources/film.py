"""Films: videos and numbered images, read frame by frame within a selected part."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from tracker.errors import MisuseError, SourceError
from tracker.sources.damage import DamageLog, merge, with_tail
from tracker.sources.trim import Trim
from tracker.system.closing import Closing
from tracker.types import Damage, Frame, ImageArray


@dataclass(frozen=True)
class Pending:
    """A :class:`Frame` whose pixels are not computed yet; ``image`` returns them."""

    image: Callable[[], ImageArray]
    index: int
    time_s: float
    source: str
    damage: Damage | None
    pixel_aspect: float = 1.0

    def frame(self) -> Frame:
        """Return the frame with its pixels."""
        place = (self.index, self.time_s, self.source)
        return Frame(self.image(), *place, damage=self.damage, pixel_aspect=self.pixel_aspect)


class Film(Closing):
    """Base class of films; a context manager, iterated once.

    Iteration yields the frames that ``trim`` selects. A subclass sets the attributes below and implements
    :meth:`all_frames` and :meth:`close`.

    Attributes:
        path: The file, or the pattern of numbered images.
        paths: The files that are read.
        name: ``Frame.source`` of the frames.
        trim: The part that is read.
        size: Width and height in pixels of an upright frame.
        fps: Average frame rate, frames per second.
        is_steady: Whether ``fps`` is the rate throughout.
        frame_count: Number of frames to expect from ``trim``, ``None`` if unknown.
        time_base: Seconds per tick of the film's clock.
        end_s: Time in seconds at which the last frame ends, ``None`` if unknown.
        pixel_aspect: Width over height of a pixel of the first upright frame; a frame may have its own.
        has_audio: Whether there is an audio stream.
        shifts_s: For each recording that is joined in the file and has begun, the seconds between the times
            that the file states and those of the frames.
    """

    size: tuple[int, int]
    fps: Fraction
    is_steady: bool
    frame_count: int | None
    time_base: Fraction
    end_s: float | None
    pixel_aspect: Fraction
    has_audio: bool

    def __init__(self, path: Path, trim: Trim) -> None:
        if path.is_fifo():
            raise SourceError(
                f"{path} is a pipe, and a video is read more than once: save it first, or use --camera"
            )
        self.path, self.name, self.trim = path, path.name, trim
        self.paths: Sequence[Path] = (path,)
        self._last_s: float | None = None
        self._exhausted = self._begun = False
        self.shifts_s: list[float] = [0.0]

    @property
    def exhausted(self) -> bool:
        """True once the film was read to its end and its last frame was taken."""
        return self._exhausted

    @property
    def last_s(self) -> float | None:
        """Time in seconds of the newest frame yielded, ``None`` before the first."""
        return self._last_s

    @abstractmethod
    def all_frames(self) -> Iterator[Pending]:
        """Yield every frame that can be decoded, in order, whatever ``trim`` selects."""

    def __iter__(self) -> Iterator[Frame]:
        """Return an iterator over the selected frames; there is one only.

        Raises:
            SourceError: After the last frame, if frames are missing or damaged, or if none was selected.
            MisuseError: The film is iterated again, or was closed.
        """
        if self._begun:
            state = "to its end" if self._exhausted else "in part"
            raise MisuseError(f"{self.path} was read already, {state}: open it again to read it once more")
        self._begun = True
        return self._selected()

    def _selected(self) -> Iterator[Frame]:
        log, count, selection = DamageLog(), 0, Selection(self.trim)
        for frame in selection.of(self.all_frames()):
            log.add(frame)
            count += 1
            self._last_s = frame.time_s
            yield frame
        self._exhausted = selection.reached_end
        if not count:
            raise SourceError(
                f"{self.path} shows nothing from {self.trim.start_s} s on: choose another --start"
            )
        if log.places:
            raise SourceError(log.summary(self.path, count))


class Selection:
    """Frames that a :class:`Trim` selects; ``reached_end`` is true once all frames were read."""

    def __init__(self, trim: Trim) -> None:
        self._trim = trim
        self.reached_end = False

    def of(self, frames: Iterable[Pending]) -> Iterator[Frame]:
        """Yield the selected ones of ``frames``.

        The damage of skipped frames is added to the next frame kept, or to the last one. So each frame is
        yielded once the next is known.
        """
        held: Pending | None = None
        skipped: Damage | None = None
        wanted = 0
        for pending in frames:
            if pending.time_s >= self._trim.end_s:
                break
            skipped = merge(skipped, pending.damage)
            if not self._trim.has_begun(pending.time_s):
                continue
            wanted += 1
            if (wanted - 1) % self._trim.every:
                continue
            if held:
                yield held.frame()
            held, skipped = replace(pending, damage=skipped), None
        else:
            self.reached_end = True
        if held:
            yield replace(held, damage=with_tail(held.damage, skipped)).frame()
