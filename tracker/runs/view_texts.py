"""Texts of the live window: what goes on, what a key did, and how far a film is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tracker.drawing.text import Span
from tracker.drawing.theme import ALERT
from tracker.errors import SinkError
from tracker.runs.overlay import Spans
from tracker.runs.playback import Playback
from tracker.system.terminal import printable, shortened

_NOTE_S, _WARNING_S = 2.0, 6.0
_LONGEST = 60


class Notes:
    """The last thing to say to the user, for some seconds of ``clock``."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._note: Spans = ()
        self._until_s = 0.0

    def say(self, text: str) -> None:
        """Say ``text`` for two seconds, instead of what was said before."""
        self._note, self._until_s = (Span(_line(text)),), self._clock() + _NOTE_S

    def say_saved(self, path: Path) -> None:
        """Say where something is saved: the file and its folder."""
        self.say(f"saved {path.absolute().parent.name}/{path.name}")

    def warn(self, error: SinkError) -> None:
        """Say longer that a file could not be written, and why."""
        text = f"not saved: {str(error).split(': ', maxsplit=1)[-1]}"
        self._note, self._until_s = (Span(_line(text), bold=True, disc=ALERT),), self._clock() + _WARNING_S

    def spans(self) -> tuple[Spans, ...]:
        """Return the badge with what is to say now, none if there is nothing."""
        return (self._note,) if self._note and self._clock() < self._until_s else ()


def state_spans(
    recorded_s: float | None, is_lost: bool, is_frozen: bool, playback: Playback | None
) -> tuple[Spans, ...]:
    """Return a badge for everything that goes on; ``recorded_s`` is None while nothing is recorded."""
    badges: list[Spans] = []
    if recorded_s is not None:
        badges.append((Span(f"REC {clock_text(recorded_s)}", bold=True, disc=ALERT),))
    if is_lost:
        badges.append((Span("camera lost", bold=True, disc=ALERT), Span("waiting for it")))
    if is_frozen:
        badges.append((Span("frozen", bold=True), Span("resume", key="Space")))
    if playback and playback.paused:
        more = Span("last frame") if playback.at_end else Span("resume", key="Space")
        badges.append((Span("paused", bold=True), more))
    if playback and (speed := playback.speed) is not None:
        about = "speed" if playback.can_seek else "speed, every frame"
        badges.append((Span(f"{speed:.1f}x", bold=True), Span(about)))
    return tuple(badges)


def status_spans(figures: Spans, faces: int, is_lost: bool = False) -> Spans:
    """Return the badge at the bottom left: the figures of a run, and the number of faces.

    While the camera is lost the last rate would mislead, and there is no latency.
    """
    if is_lost:
        figures = (Span("0 fps", bold=True), *figures[-1:])
    return (*figures, Span(f"{faces} face" if faces == 1 else f"{faces} faces"))


def hint_spans(playback: Playback | None) -> Spans:
    """Return the badge at the bottom right: the time in a film, and the key for help."""
    keys = (Span("keys", key="h"),)
    if playback is None or playback.extent is None:
        return keys
    extent = playback.extent
    at_s, end_s = playback.target_s - extent.start_s, extent.end_s - extent.start_s
    return (Span(f"{clock_text(at_s)} / {clock_text(end_s)}"), *keys)


def clock_text(time_s: float) -> str:
    """Return seconds as minutes and seconds, such as 0:12 or 1:02:03."""
    minutes, seconds = divmod(max(int(time_s), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _line(text: str) -> str:
    return shortened(printable(text), _LONGEST)
