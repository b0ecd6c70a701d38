"""Checkpoints of a run, in a file beside its JSON lines, so that it can be resumed.

Beside ``out.jsonl`` a run keeps ``out.jsonl.resume``: its identity, how many frames or images are done, and
what it needs to go on. Lines of results after the last checkpoint are dropped and made again, so a resumed
run ends with the same bytes as one that was never interrupted.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracker.errors import SinkError
from tracker.runs.identity import differences
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.sources.images.source import ReadFailure
from tracker.system.closing import Closing
from tracker.system.files import Lock, beside, guarded_write, write_whole
from tracker.tracking.state import TrackerState

CHECKPOINT_EVERY = 50
"""Frames or images between two checkpoints: at most this many are tracked again."""

FORMAT = 4
"""Version of the checkpoint file."""

_CHUNK = 1 << 20


@dataclass(frozen=True)
class VideoProgress:
    """Progress of a run over a video: the tracker's state after the last frame that is done."""

    state: TrackerState


@dataclass(frozen=True)
class ImagesProgress:
    """Progress of a run over images: those that could not be read so far."""

    failures: tuple[ReadFailure, ...] = ()


@dataclass(frozen=True)
class Ended:
    """End of a run, with the message of its input's error, if any."""

    error: str | None = None


Progress = VideoProgress | ImagesProgress | Ended


@dataclass(frozen=True)
class Checkpoint:
    """Point from which a run can go on.

    ``done`` frames or images are in the results, as the first ``size`` bytes with that ``crc32``.
    ``progress`` is None at the start. Raises ``ValueError`` for negative counts or missing progress.
    """

    done: int = 0
    size: int = 0
    crc32: int = 0
    progress: Progress | None = None

    def __post_init__(self) -> None:
        counts = (self.done, self.size, self.crc32)
        if not all(isinstance(count, int) and count >= 0 for count in counts):
            raise ValueError(f"the counts of a checkpoint must be integers from 0 on, got {counts}")
        if self.done and self.progress is None:
            raise ValueError(f"a checkpoint after {self.done} items must have progress")

    def to_json(self) -> dict[str, Any]:
        """Return the checkpoint as JSON-compatible data."""
        counts = {"done": self.done, "size": self.size, "crc32": self.crc32}
        return {**counts, "progress": _progress_to_json(self.progress)}

    @classmethod
    def from_json(cls, data: Any, scheme: Scheme = IBUG68) -> Checkpoint:
        """Return the checkpoint that :meth:`to_json` made ``data`` from.

        Landmarks are of ``scheme``. Raises ``ValueError`` for anything else.
        """
        if not isinstance(data, dict) or data.keys() != {"done", "size", "crc32", "progress"}:
            raise ValueError("not a checkpoint")
        return cls(**{**data, "progress": _progress_from_json(data["progress"], scheme)})


class Checkpoints(Closing):
    """Checkpoint file of the run that writes JSON lines to ``results``; a context manager.

    ``identity`` is JSON-compatible data that the results depend on, ``scheme`` that of the landmarks. With
    ``resume`` :attr:`start` is the last checkpoint of an earlier run and the results are cut back to it;
    without, and if there are no results yet, it is the beginning. The checkpoint file of an earlier run is
    replaced only by :meth:`begin`.

    Raises :class:`~tracker.errors.SinkError` when there are results without a checkpoint file, when it is of
    another run or cannot be used, when the results were changed since, when a file cannot be written, and
    while another process writes to the results. The lock on them is held until :meth:`close`.
    """

    def __init__(
        self, results: Path, identity: Mapping[str, Any], resume: bool = False, scheme: Scheme = IBUG68
    ) -> None:
        self._results = results
        self._scheme = scheme
        self._path = beside(results, f"{results.name}.resume")
        self._identity = identity
        self._resume = resume
        self._lock = Lock(results)
        try:
            self.start = self._last = self._resumed() if resume else Checkpoint()
        except SinkError:
            self.close()
            raise

    def begin(self) -> None:
        """Write the start as the first checkpoint; call it once the results are open."""
        self.close()
        self._lock = Lock(self._results)  # the file may not have existed before
        self._write(self.start)

    def close(self) -> None:
        """Release the lock on the results; closing twice is fine."""
        self._lock.close()

    def note(self, done: int, progress: Callable[[], Progress]) -> None:
        """Note that the results of ``done`` items are flushed; every so often, write a checkpoint of that."""
        if done - self._last.done >= CHECKPOINT_EVERY:
            self._save(done, progress())

    def end(self, done: int, error: str | None) -> None:
        """Note that the run has ended, with the ``error`` of its input, if any.

        The checkpoint file is removed, but a resumed run keeps it, so that resuming once more finds the end.
        """
        if self._resume:
            self._save(done, Ended(error))
        else:
            with guarded_write(self._path):
                self._path.unlink(missing_ok=True)

    def _save(self, done: int, progress: Progress) -> None:
        with guarded_write(self._results):
            size = self._results.stat().st_size
            crc = _crc32(self._results, self._last.size, size, self._last.crc32)
        self._write(Checkpoint(done, size, crc, progress))

    def _write(self, checkpoint: Checkpoint) -> None:
        self._last = checkpoint
        file = {"format": FORMAT, "run": self._identity, "checkpoint": checkpoint.to_json()}
        with guarded_write(self._path):
            write_whole(self._path, f"{json.dumps(file)}\n".encode())

    def _resumed(self) -> Checkpoint:
        """Read the last checkpoint and cut the results back to it."""
        if not self._path.exists():
            if self._results.exists() and self._results.stat().st_size:
                raise self._refusal(f"{self._path.name} is not there, so it is complete or of other origin")
            return Checkpoint()
        checkpoint = self._read()
        with guarded_write(self._results):
            size = self._results.stat().st_size if self._results.exists() else 0
            if size < checkpoint.size or checkpoint.crc32 != _crc32(self._results, 0, checkpoint.size):
                raise self._refusal("it was changed since")
            if size:
                os.truncate(self._results, checkpoint.size)
        return checkpoint

    def _read(self) -> Checkpoint:
        try:
            file = json.loads(self._path.read_text(encoding="utf-8"))
            if file["format"] != FORMAT:
                raise self._refusal("another version of tracker began it")
            run = dict(file["run"])
            for difference in differences(run, dict(self._identity)):
                raise self._refusal(difference)
            return Checkpoint.from_json(file["checkpoint"], self._scheme)
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise self._refusal(f"{self._path.name} cannot be used ({type(error).__name__})") from error

    def _refusal(self, why: str) -> SinkError:
        return SinkError(f"cannot resume {self._results}: {why}; to start over, leave out --resume")


def _progress_to_json(progress: Progress | None) -> Any:
    match progress:
        case None:
            return None
        case VideoProgress(state):
            return {"video": state.to_json()}
        case ImagesProgress(failures):
            return {"images": [[failure.source, failure.message] for failure in failures]}
        case Ended(error):
            return {"ended": error}


def _progress_from_json(data: Any, scheme: Scheme) -> Progress | None:
    match data:
        case None:
            return None
        case {"video": state, **others} if not others:
            return VideoProgress(TrackerState.from_json(state, scheme))
        case {"images": [*failures], **others} if not others:
            return ImagesProgress(tuple(_failure_from_json(failure) for failure in failures))
        case {"ended": (None | str()) as error, **others} if not others:
            return Ended(error)
    raise ValueError("not the progress of a run")


def _failure_from_json(data: Any) -> ReadFailure:
    match data:
        case [str() as source, str() as message]:
            return ReadFailure(source, message)
    raise ValueError("not an image that could not be read")


def _crc32(path: Path, start: int, end: int, crc: int = 0) -> int:
    """Return the CRC-32 of the bytes from ``start`` to ``end``, continued from ``crc``."""
    if end == start:
        return crc
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (data := file.read(min(_CHUNK, end - start))):
            crc = zlib.crc32(data, crc)
            start += len(data)
    return crc
