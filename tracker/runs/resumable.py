"""Runs over files that can be resumed where their JSON lines go to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import TypeVar

from tracker.errors import SinkError, SourceError
from tracker.runs.checkpoints import (
    Checkpoint,
    Checkpoints,
    Ended,
    ImagesProgress,
    Progress,
    VideoProgress,
)
from tracker.runs.identity import RunIdentity
from tracker.runs.observer import RunObserver
from tracker.sources.images.source import ReadFailure
from tracker.system.files import check_output
from tracker.system.stdout import StandardOutput
from tracker.tracking.face_tracker import FaceTracker

T = TypeVar("T")


class Resumable:
    """Run over a video or images: its start, and its checkpoints from there on.

    Without ``checkpoints`` it starts at the beginning and nothing is kept.
    """

    def __init__(self, checkpoints: Checkpoints | None = None) -> None:
        self._checkpoints = checkpoints
        self._start = checkpoints.start if checkpoints else Checkpoint()
        self._done = self._start.done

    @property
    def done_before(self) -> int:
        """Number of frames or images that an earlier run has done."""
        return self._start.done

    @property
    def has_ended(self) -> bool:
        """True if an earlier run has done everything.

        Raises the :class:`~tracker.errors.SourceError` that it ended with, if any.
        """
        match self._start.progress:
            case Ended(None):
                return True
            case Ended(str() as error):
                raise SourceError(error)
        return False

    @property
    def failures_before(self) -> tuple[ReadFailure, ...]:
        """Images that an earlier run could not read.

        Raises :class:`~tracker.errors.SinkError` if the checkpoint is not of a run over images.
        """
        match self._start.progress:
            case None:
                return ()
            case ImagesProgress(failures):
                return failures
        raise _refusal("no list of images")

    def remaining(self, items: Iterable[T]) -> Iterator[T]:
        """Return the frames or images that are not done."""
        return islice(items, self._start.done, None)

    def restore(self, tracker: FaceTracker) -> None:
        """Bring ``tracker`` to the state of an earlier run.

        Raises :class:`~tracker.errors.SinkError` if the checkpoint holds none that fits.
        """
        match self._start.progress:
            case None:
                return
            case VideoProgress(state):
                try:
                    tracker.restore(state)
                except ValueError as error:
                    raise _refusal(str(error)) from error
            case _:
                raise _refusal("no state of a tracker")

    def begin(self) -> None:
        """Replace the checkpoint of an earlier run; call it once all outputs are open."""
        if self._checkpoints:
            self._checkpoints.begin()

    def video_observer(self, tracker: FaceTracker) -> RunObserver:
        """Return the observer that writes checkpoints of a run over a video."""
        return _VideoCheckpoints(self, tracker)

    def images_observer(self) -> RunObserver:
        """Return the observer that writes checkpoints of a run over images."""
        return _ImagesCheckpoints(self)

    def count_item(self) -> None:
        """Count one more frame or image whose results are written."""
        self._done += 1

    def note(self, progress: Callable[[], Progress]) -> None:
        """Offer a checkpoint after the items counted so far."""
        if self._checkpoints:
            self._checkpoints.note(self._done, progress)

    def end(self, error: SourceError | None = None) -> None:
        """Note that everything is done, or that the input ended with ``error``."""
        if self._checkpoints:
            self._checkpoints.end(self._done, str(error) if error else None)


class _VideoCheckpoints:
    """Observer that offers a checkpoint after each frame."""

    def __init__(self, run: Resumable, tracker: FaceTracker) -> None:
        self._run = run
        self._tracker = tracker

    def item_done(self) -> None:
        self._run.count_item()
        self._run.note(lambda: VideoProgress(self._tracker.state()))

    def group_done(self, failures: Sequence[ReadFailure]) -> None:
        """Do nothing: a video has no groups."""


class _ImagesCheckpoints:
    """Observer that offers a checkpoint after each group, so that a resumed run forms the same groups."""

    def __init__(self, run: Resumable) -> None:
        self._run = run

    def item_done(self) -> None:
        self._run.count_item()

    def group_done(self, failures: Sequence[ReadFailure]) -> None:
        self._run.note(lambda: ImagesProgress(tuple(failures)))


def _refusal(held: str) -> SinkError:
    return SinkError(f"cannot resume: the checkpoint holds {held}; leave --resume out")


@contextmanager
def resumable(
    results: Path | StandardOutput | None, identity: RunIdentity, resume: bool
) -> Iterator[Resumable]:
    """Open the checkpoints of a run that writes JSON lines to ``results``.

    Call :meth:`Resumable.end` when everything is done; a :class:`~tracker.errors.SourceError` ends the run as
    well, any other error leaves it to be resumed. Raises :class:`~tracker.errors.SinkError` as
    :class:`~tracker.runs.checkpoints.Checkpoints` does, and to ``resume`` where ``results`` is no file.
    """
    checkpoints = None
    if isinstance(results, Path) and (results.is_file() or not results.exists()):
        check_output(results, identity.inputs)
        checkpoints = Checkpoints(results, identity.to_json(), resume, identity.scheme)
    elif resume:
        raise SinkError(f"cannot resume {results}: it is no file; give --json a file name")
    with checkpoints or nullcontext():
        run = Resumable(checkpoints)
        try:
            yield run
        except SourceError as error:
            run.end(error)
            raise
