"""Live view: the picture with its faces on a screen, and what its keys do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tracker.drawing.annotate import annotate
from tracker.drawing.faces import draw_faces
from tracker.drawing.panel import NO_PANEL
from tracker.drawing.picture import Picture
from tracker.drawing.style import DEFAULT_STYLE, DrawStyle
from tracker.errors import SinkError
from tracker.geometry import Raster
from tracker.runs.captures import Captures
from tracker.runs.fitted import Fitted
from tracker.runs.keys import SEEK_S
from tracker.runs.live_stats import LiveStats
from tracker.runs.overlay import Overlay, Spans, draw_overlay
from tracker.runs.playback import Playback
from tracker.runs.view_texts import Notes, hint_spans, state_spans, status_spans
from tracker.runs.window import Screen
from tracker.system.closing import Closing
from tracker.types import Frame, FrameResult

_STATUS_S = 0.5
"""Seconds for which the figures of the badge stand still: faster, nobody can read them."""


class View(Closing):
    """Live view on ``screen``, with the keys of :data:`~tracker.runs.keys.KEYS`; a context manager.

    Faces and texts are drawn at the size of the screen, so that they look the same whatever the picture's
    size, and pictures whose pixels are not square in their true shape. Snapshots and recordings go to
    ``folder``, by default the working folder: the pixels as they are stored, mirrored if the view is, with
    the faces in the view's style and nothing else. The view starts ``mirrored`` or not, in ``style``. Closing
    finishes a recording; the screen stays open.
    """

    def __init__(
        self,
        screen: Screen,
        folder: Path | None = None,
        mirrored: bool = False,
        style: DrawStyle = DEFAULT_STYLE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._screen = screen
        self._captures = Captures(folder or Path.cwd())
        self._style = style
        self._mirrored = mirrored
        self._clock = clock
        self._notes = Notes(clock)
        self._stats = LiveStats()
        self._status: Spans = ()
        self._status_s = -_STATUS_S
        self._shows_help = self._shows_panel = self._is_frozen = self._is_lost = False
        self._playback: Playback | None = None
        self._shown: tuple[Frame, FrameResult] | None = None
        self._painted: object = None
        self._actions: Mapping[str, Callable[[], None]] = {
            "s": self._save_snapshot,
            "r": self._toggle_recording,
            "m": self._toggle_mirror,
            "p": self._take_next_style,
            "i": self._toggle_panel,
            "f": self._toggle_full_screen,
            "space": self._toggle_pause,
            "left": lambda: self._seek(-SEEK_S),
            "right": lambda: self._seek(SEEK_S),
            ",": lambda: self._step(forward=False),
            ".": lambda: self._step(forward=True),
            "h": self._toggle_help,
        }

    def close(self) -> None:
        """Finish a recording that is still running."""
        self._captures.close()

    def control(self, playback: Playback) -> None:
        """Let the keys control ``playback``, whose frames :meth:`show` gets, and show how far it is."""
        self._playback = playback
        playback.idle = lambda wait_s: self.idle(None, wait_s)

    def show(self, frame: Frame, result: FrameResult, stats: LiveStats) -> bool:
        """Show one frame and handle a key. Returns False when the user quits."""
        self._stats, self._is_lost = stats, False
        if not self._is_frozen:
            self._shown = frame, result
        self._record(frame, result)
        self._paint()
        return self._handle_key(0.0)

    def idle(self, problem: str | None, wait_s: float = 0.0) -> bool:
        """Handle a key while no new frame comes, for which to wait up to ``wait_s`` seconds.

        ``problem`` says why none comes, if something is wrong. Returns False when the user quits.
        """
        self._is_lost = problem is not None
        self._paint()
        return self._handle_key(wait_s)

    def _paint(self) -> None:
        """Paint the last picture, unless exactly the same is on the screen."""
        if self._shown is None:
            return
        frame, result = self._shown
        canvas_hw = self._screen.canvas_hw(Raster.of(frame).square_hw)
        overlay = self._overlay(result)
        looks = frame, canvas_hw, overlay, self._style, self._mirrored
        if looks == self._painted:
            return
        fitted = Fitted.of(frame, result, canvas_hw, self._mirrored)
        draw_faces(fitted.picture_bgr, fitted.faces, self._style)
        draw_overlay(fitted.canvas_bgr, overlay)
        self._screen.show(fitted.canvas_bgr)
        self._painted = looks

    def _overlay(self, result: FrameResult) -> Overlay:
        now_s = self._clock()
        if now_s - self._status_s >= _STATUS_S:
            self._status, self._status_s = self._stats.status(), now_s
        playback = self._playback
        extent = playback.extent if playback else None
        state = state_spans(
            recorded_s=self._captures.recorded_s if self._captures.recording else None,
            is_lost=self._is_lost,
            is_frozen=self._is_frozen,
            playback=playback,
        )
        return Overlay(
            status=status_spans(self._status, len(result.faces), self._is_lost),
            hint=hint_spans(playback),
            notes=(*state, *self._notes.spans()),
            panel=self._stats.panel(result.faces) if self._shows_panel else NO_PANEL,
            shows_help=self._shows_help,
            progress=extent.share(playback.target_s) if playback and extent else None,
        )

    def _handle_key(self, wait_s: float) -> bool:
        key = self._screen.key(wait_s)
        if key is not None and key in self._actions:
            self._actions[key]()
        return key != "q" and not self._screen.closed

    def _picture(self, frame: Frame, result: FrameResult) -> Picture:
        canvas = annotate(frame, result, self._style, self._mirrored)
        return Picture(canvas, frame.time_s, frame.source, pixel_aspect=frame.pixel_aspect)

    def _record(self, frame: Frame, result: FrameResult) -> None:
        if self._captures.recording is None:
            return
        try:
            self._captures.record(self._picture(frame, result))
        except SinkError as error:
            self._captures.abandon()
            self._notes.warn(error)

    def _save_snapshot(self) -> None:
        if self._shown is None:
            return
        try:
            path = self._captures.save(self._picture(*self._shown), self._shown[1])
        except SinkError as error:
            self._notes.warn(error)
        else:
            self._notes.say_saved(path)

    def _toggle_recording(self) -> None:
        try:
            if self._captures.recording is None:
                self._captures.begin()
            elif path := self._captures.end():
                self._notes.say_saved(path)
            else:
                self._notes.say("nothing recorded")
        except SinkError as error:
            self._notes.warn(error)

    def _toggle_mirror(self) -> None:
        self._mirrored = not self._mirrored
        self._notes.say("mirrored" if self._mirrored else "not mirrored")

    def _take_next_style(self) -> None:
        self._style = self._style.next()
        self._notes.say(f"drawing: {self._style.name.replace(',', ', ')}")

    def _toggle_panel(self) -> None:
        self._shows_panel = not self._shows_panel

    def _toggle_help(self) -> None:
        self._shows_help = not self._shows_help

    def _toggle_full_screen(self) -> None:
        self._notes.say("full screen, f to leave" if self._screen.toggle_full_screen() else "window")

    def _toggle_pause(self) -> None:
        if self._playback:
            self._playback.toggle_pause()
        else:
            self._is_frozen = not self._is_frozen

    def _seek(self, by_s: float) -> None:
        if self._moves(lambda playback: playback.seek(by_s)):
            self._captures.jumped()

    def _step(self, forward: bool) -> None:
        if self._moves(lambda playback: playback.step(forward)) and not forward:
            self._captures.jumped()

    def _moves(self, move: Callable[[Playback], bool]) -> bool:
        """Move in the film, and say why where that is not possible. Returns whether it is."""
        if self._playback is None:
            self._notes.say("only a video can be searched")
            return False
        if not self._playback.can_seek:
            self._notes.say("the outputs need every frame in order")
            return False
        return move(self._playback)
