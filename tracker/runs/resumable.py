"""The runs of the command line over files, with their checkpoints where JSON lines go to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from tracker.errors import SinkError, SourceError
from tracker.runs.checkpoints import Checkpoint, Checkpoints, run_identity
from tracker.sources.images.source import ReadFailure
from tracker.system.files import check_output
from tracker.system.stdout import StandardOutput
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.opening import OpenedTracker
from tracker.tracking.state import TrackerState

T = TypeVar("T")


class Resumable:
    """A run over a video or images: where it starts, and how far it is.

    Without ``checkpoints`` it starts at the beginning and nothing is kept. ``complete`` is to be set false
    when the user quits before the end.
    """

    def __init__(self, checkpoints: Checkpoints | None) -> None:
        self._checkpoints = checkpoints
        self._start = checkpoints.start if checkpoints else Checkpoint()
        self._done = self._start.done
        self.complete = True

    @property
    def goes_on(self) -> bool:
        """Whether there are results already, to which others are added."""
        return self._start.done > 0

    @property
    def has_ended(self) -> bool:
        """Whether nothing is left to do. Raises the :class:`SourceError` that it ended with, if any."""
        if self._start.ended and self._start.memory:
            raise SourceError(self._start.memory)
        return self._start.ended

    @property
    def failures(self) -> list[ReadFailure]:
        """The images that an earlier run could not read."""
        return [ReadFailure(*fields) for fields in self._start.memory or ()]

    def skip(self, advance: Callable[[], None]) -> None:
        """Let a progress bar know what is done already."""
        for _ in range(self._start.done):
            advance()

    def rest(self, items: Iterable[T]) -> Iterator[T]:
        """Those of ``items`` that are not done."""
        return islice(items, self._start.done, None)

    def begin(self) -> None:
        """All outputs are open; what an earlier run kept to be resumed is no longer needed."""
        if self._checkpoints:
            self._checkpoints.begin()

    def resumed(self, tracker: FaceTracker) -> None:
        """Have ``tracker`` remember what it had seen. Raises :class:`SinkError` if that is not to be read."""
        if self.goes_on:
            try:
                tracker.restore(TrackerState.from_json(self._start.memory))
            except ValueError as error:
                raise SinkError(f"cannot resume: the checkpoint holds {error}; leave --resume out") from error

    def frame_done(self, tracker: FaceTracker) -> None:
        """The results of a frame of a video are written."""
        self._done += 1
        self._note(lambda: tracker.state().to_json())

    def image_done(self) -> None:
        """The results of an image are written; others of its group may not be."""
        self._done += 1

    def group_done(self, failures: Sequence[ReadFailure]) -> None:
        """The results of a group of images are written; ``failures`` are all so far."""
        self._note(lambda: [[failure.source, failure.message] for failure in failures])

    def ended(self, error: SourceError | None = None) -> None:
        """Forget the checkpoints of a run that is over."""
        if self._checkpoints and self.complete:
            self._checkpoints.ended(self._done, str(error) if error else None)

    def _note(self, memory: Callable[[], Any]) -> None:
        if self._checkpoints:
            self._checkpoints.note(self._done, memory)


@contextmanager
def resumable(
    results: Path | StandardOutput | None,
    resume: bool,
    kind: str,
    inputs: Sequence[Path],
    tracker: OpenedTracker,
    **settings: Any,
) -> Iterator[Resumable]:
    """A run with ``tracker`` that writes JSON lines to ``results``, and is over when the block is left.

    It is when all was done or the input has an error of its own, not after any other error. ``settings`` are
    those that results depend on beside the tracker's. Raises :class:`SinkError` as
    :class:`~tracker.runs.checkpoints.Checkpoints` does, and if ``resume`` is wanted of what is no file.
    """
    checkpoints = None
    if isinstance(results, Path) and (results.is_file() or not results.exists()):
        check_output(results, inputs)
        run = run_identity(kind, inputs, **tracker.made_by, **settings)
        checkpoints = Checkpoints(results, run, resume)
    elif resume:
        raise SinkError(f"cannot resume {results}: it is no file; give --json a file name")
    with checkpoints or nullcontext():
        run_state = Resumable(checkpoints)
        try:
            yield run_state
        except SourceError as error:
            run_state.ended(error)
            raise
        run_state.ended()
