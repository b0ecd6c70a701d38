"""Playback of a film in the live window: its own speed, pauses, and jumps to any frame."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tracker.runs.read_ahead import ReadAhead
from tracker.sources.film import Film
from tracker.sources.seeking import Excerpt, Seeker
from tracker.system.closing import Closing
from tracker.types import Frame

IDLE_S = 0.02
"""Longest time in seconds that playback waits without asking for a key."""

_MAX_SKIPPING_S = 0.2  # longest time without a frame shown, however slow the machine
_MAX_LATE_S = 0.5  # lag above which playback no longer catches up, and goes on from there
_SPEED_S = 2.0  # time over which the speed is measured
_SLOW = 0.9  # share of the film's own speed below which the user is told


@dataclass(frozen=True)
class Extent:
    """Times in seconds at which the selected part of a film begins and ends; a frame takes ``step_s``.

    Raises ``ValueError`` unless they are finite and in order, and the step is positive.
    """

    start_s: float
    end_s: float
    step_s: float

    def __post_init__(self) -> None:
        values = (self.start_s, self.end_s, self.step_s)
        if not all(map(math.isfinite, values)) or self.end_s < self.start_s or self.step_s <= 0:
            raise ValueError(f"an extent has finite times in order and a positive step, got {values}")

    @classmethod
    def of(cls, film: Film) -> Extent | None:
        """Return the extent of the frames that ``film`` selects; None if its length is unknown."""
        start_s, step_s = film.trim.start_s, float(film.trim.every / film.fps)
        end_s = film.end_s
        if end_s is None and film.frame_count is not None:
            end_s = start_s + film.frame_count * step_s
        if end_s is None:
            return None
        return cls(start_s, max(min(end_s, film.trim.end_s), start_s), step_s)

    def share(self, time_s: float) -> float:
        """Return how much of the film lies before ``time_s``, 0 to 1."""
        length_s = self.end_s - self.start_s
        return min(max((time_s - self.start_s) / length_s, 0.0), 1.0) if length_s else 1.0


@dataclass(frozen=True)
class _Jump:
    """A request for the frame at ``time_s``, or for the one before it."""

    time_s: float
    before: bool = False


class Playback(Closing):
    """Frames of a film for the live window; a context manager, iterated once, that keys control.

    With a ``seeker`` the film plays at its own speed: each frame is yielded when its time has come, and some
    are skipped where the loop is slower. Then :meth:`seek` and :meth:`step` jump, and ``jumped`` is called
    before the first frame from elsewhere. Without one every frame is yielded, in order and at once, as
    outputs need it; only a pause is possible.

    Args:
        frames: The frames from the beginning; a thread reads them ahead.
        extent: Where the film begins and ends; None if unknown.
        seeker: Opens the film at other places.
        jumped: Called before the first frame after a jump.
        stop_reading: Called before a jump, to end the reading of ``frames``, which may wait.
        clock: Seconds of a monotonic clock.
    """

    def __init__(
        self,
        frames: Iterable[Frame],
        extent: Extent | None = None,
        seeker: Seeker | None = None,
        jumped: Callable[[], None] = lambda: None,
        stop_reading: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.extent = extent
        self.idle: Callable[[float], bool] = lambda _: True
        self.paused = self.stopped = self.at_end = False
        self.position_s: float | None = None
        self._seeker, self._jumped, self._stop_reading = seeker, jumped, stop_reading
        self._clock = clock
        self._coming = ReadAhead(frames)
        self._excerpt: Excerpt | None = None
        self._step_s = extent.step_s if extent else _MAX_SKIPPING_S
        self._held: Frame | None = None  # read, but its time had not come
        self._jump: _Jump | None = None
        self._shows_one = False  # the next frame even while paused
        self._anchor: tuple[float, float] | None = None  # clock and film time that belong together
        self._shown: deque[tuple[float, float]] = deque()  # clock and film time of frames

    @property
    def can_seek(self) -> bool:
        """True if frames may be left out and repeated."""
        return self._seeker is not None

    @property
    def speed(self) -> float | None:
        """Speed over the last seconds, 1 for the film's own; None where it keeps that, or is unknown."""
        if len(self._shown) < 2 or self.paused:
            return None
        (since, first_s), (now, last_s) = self._shown[0], self._shown[-1]
        if now - since < _SPEED_S / 2:
            return None
        speed = (last_s - first_s) / (now - since)
        return None if self._seeker and speed >= _SLOW else speed

    def toggle_pause(self) -> bool:
        """Pause, or go on. Returns whether it is paused now."""
        self.paused = not self.paused
        self._restart_clock()
        return self.paused

    def seek(self, by_s: float) -> bool:
        """Jump ``by_s`` seconds forward, or back if negative. Returns False if it cannot."""
        if not self._seeker or self.position_s is None:
            return False
        target_s = self.target_s + by_s
        if self.extent:
            target_s = min(target_s, self.extent.end_s - self.extent.step_s)
            target_s = max(target_s, self.extent.start_s)
        self._jump = _Jump(max(target_s, 0.0))
        return True

    def step(self, forward: bool) -> bool:
        """Pause, and show the next frame or the one before. Returns False if it cannot."""
        if not self._seeker or self.position_s is None:
            return False
        self.paused = True
        if forward:
            self._shows_one = True
        else:
            self._jump = _Jump(self.position_s, before=True)
        return True

    @property
    def target_s(self) -> float:
        """Time in seconds of the frame that is shown, or that will be after a jump."""
        return self._jump.time_s if self._jump else self.position_s or 0.0

    def close(self) -> None:
        """End the reading; closing twice is fine."""
        if self._excerpt:
            self._excerpt.close()
        self._coming.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames until the film ends or ``idle``, called while there is none, returns False.

        Then ``stopped`` is true. Raises the errors of the film.
        """
        while not self.stopped:
            if self._jump:
                self._leap(self._jump)
            elif self.at_end and not self.paused:
                return
            if self._is_waiting:
                self._wait(IDLE_S)
                continue
            try:
                frame = self._next()
            except StopIteration:
                self.at_end, self._shows_one = True, False
                continue
            if frame is not None:
                self._note_shown(frame)
                yield frame

    @property
    def _is_waiting(self) -> bool:
        """True if no frame is wanted until the user presses a key."""
        return self.paused and not self._shows_one

    def _next(self) -> Frame | None:
        """Return the next frame when its time has come; None if the user wants something else first."""
        asked_s = self._clock()
        while (frame := self._read()) is not None:
            if self._seeker is None or self._shows_one:
                return frame
            due_s = self._due_s(frame)
            while (rest_s := due_s - self._clock()) > 0:
                if not self._wait(min(rest_s, IDLE_S)):
                    self._held = frame
                    return None
            late_s = self._clock() - due_s
            if late_s > _MAX_LATE_S:
                self._anchor = self._clock(), frame.time_s
            if late_s <= self._step_s or self._clock() - asked_s > _MAX_SKIPPING_S:
                return frame
        return None

    def _read(self) -> Frame | None:
        """Return the next frame read, None if the user wants something else before it comes."""
        frame, self._held = self._held, None
        while frame is None and (frame := self._coming.next_within(IDLE_S)) is None:
            if not self._wait(0.0):
                return None
        return frame

    def _due_s(self, frame: Frame) -> float:
        """Return the time of the clock at which to show a frame; that of the first one is now."""
        if self._anchor is None:
            self._anchor = self._clock(), frame.time_s
        since_s, from_s = self._anchor
        return since_s + frame.time_s - from_s

    def _wait(self, wait_s: float) -> bool:
        """Let the user press a key. Returns whether the next frame is still wanted."""
        self.stopped = self.stopped or not self.idle(wait_s)
        return not (self.stopped or self._jump or self._is_waiting)

    def _leap(self, jump: _Jump) -> None:
        """Read on from elsewhere."""
        assert self._seeker
        # The source is closed before the thread that reads it, which may wait for the next frame.
        if self._excerpt:
            self._excerpt.close()
        else:
            self._stop_reading()
        self._coming.close()
        self._excerpt = self._seeker.excerpt(jump.time_s, jump.before)
        self._coming = ReadAhead(self._excerpt)
        self._jump = self._held = None
        self.at_end, self._shows_one = False, True
        self._restart_clock()
        self._jumped()

    def _note_shown(self, frame: Frame) -> None:
        now_s = self._clock()
        self.position_s, self._shows_one = frame.time_s, False
        self._shown.append((now_s, frame.time_s))
        while now_s - self._shown[0][0] > _SPEED_S:
            self._shown.popleft()

    def _restart_clock(self) -> None:
        self._anchor = None
        self._shown.clear()
