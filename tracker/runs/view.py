"""Live view: the annotated picture on a screen, its keys, snapshots and recordings."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import cv2

from tracker.drawing.annotate import annotate
from tracker.drawing.faces import STYLES, Style
from tracker.drawing.panel import NO_PANEL, Panel
from tracker.drawing.picture import Picture
from tracker.runs.keys import HELP_LINES
from tracker.runs.window import Screen
from tracker.sinks.json_lines import JsonSink
from tracker.sinks.video.sink import VideoSink
from tracker.system.closing import Closing
from tracker.system.files import guarded_write, write_whole
from tracker.types import Frame, FrameResult, ImageArray


class View(Closing):
    """Live view on ``screen``, with the keys of :data:`~tracker.runs.keys.KEYS`; a context manager.

    Snapshots and recordings go to ``folder``, by default the working folder. With ``mirrored`` the view
    starts mirrored. Closing finishes a recording; the screen stays open.
    """

    def __init__(self, screen: Screen, folder: Path | None = None, mirrored: bool = False) -> None:
        self._screen = screen
        self._folder = folder or Path.cwd()
        self._style: Style = STYLES[0]
        self._mirrored = mirrored
        self._shows_help = False
        self._last: tuple[Frame, FrameResult] | None = None
        self._canvas: ImageArray | None = None
        self._stack = ExitStack()
        self._recording: VideoSink | None = None

    def close(self) -> None:
        """Finish a recording that is still running."""
        self._stack.close()

    def show(self, frame: Frame, result: FrameResult, panel: Panel = NO_PANEL) -> bool:
        """Show one frame and handle a key. Returns False when the user quits."""
        self._last = frame, result
        recording = ("recording",) if self._recording else ()
        help_lines = HELP_LINES if self._shows_help else ()
        canvas = self._paint(frame, result, panel.with_lines(*recording, *help_lines))
        if self._recording:
            self._recording.write(Picture(canvas, frame.time_s, frame.source))
        return self._handle_key()

    def idle(self, notice: str | None) -> bool:
        """Handle a key while no new frame comes; a ``notice`` replaces the panel.

        Returns False when the user quits.
        """
        if self._last and notice:
            self._paint(*self._last, Panel((notice,)))
        return self._handle_key()

    def _paint(self, frame: Frame, result: FrameResult, panel: Panel) -> ImageArray:
        self._canvas = canvas = annotate(frame, result, panel, self._style, self._mirrored)
        self._screen.show(canvas)
        return canvas

    def _handle_key(self) -> bool:
        key = self._screen.key()
        if key == "p":
            self._style = STYLES[(STYLES.index(self._style) + 1) % len(STYLES)]
        elif key == "m":
            self._mirrored = not self._mirrored
        elif key == "h":
            self._shows_help = not self._shows_help
        elif key == "s":
            self._save_snapshot()
        elif key == "r":
            self._toggle_recording()
        return key != "q" and not self._screen.closed

    def _save_snapshot(self) -> None:
        """Write the picture as shown, and beside it its results, which do not depend on the view."""
        if self._canvas is None or self._last is None:
            return
        path = self._new_file(".png")
        with guarded_write(path):
            write_whole(path, cv2.imencode(".png", self._canvas)[1].tobytes())
        with JsonSink(path.with_suffix(".json")) as sink:
            sink.write(self._last[1])

    def _toggle_recording(self) -> None:
        if self._recording:
            self._recording.close()
            self._recording = None
        else:
            self._recording = self._stack.enter_context(VideoSink(self._new_file(".mp4")))

    def _new_file(self, suffix: str) -> Path:
        return self._folder / f"tracker-{datetime.now():%Y%m%d-%H%M%S-%f}{suffix}"
