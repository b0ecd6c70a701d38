"""Runs that were cut short go on where they were and end with the very same JSON lines.

Beside ``out.jsonl`` a run keeps ``out.jsonl.resume``: what is run, and from time to time how far it is,
with all that the tracker remembers. What the file of results holds beyond that is dropped and made anew.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tracker.errors import SinkError
from tracker.system.closing import Closing
from tracker.system.files import Lock, sink_errors, write_whole
from tracker.system.machine import library_versions

EVERY = 50
"""Frames between two checkpoints: at most so many are tracked anew."""

_FORMAT = 2
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Checkpoint:
    """How far a run is: ``done`` frames or images, whose lines are the first ``size`` bytes of the results,
    with that ``crc32``; ``memory`` is what else it needs to go on, as JSON. ``ended``: there is no more."""

    done: int = 0
    size: int = 0
    crc32: int = 0
    memory: Any = None
    ended: bool = False

    def __post_init__(self) -> None:
        counts = (self.done, self.size, self.crc32)
        if not all(isinstance(count, int) and count >= 0 for count in counts):
            raise ValueError(f"a checkpoint counts from 0, got {counts}")
        if self.ended and not isinstance(self.memory, str | None):
            raise ValueError("a run ends with a line or without")


class Checkpoints(Closing):
    """The checkpoints of the run that writes JSON lines to ``results``.

    ``run`` says what is run on what: all that the results depend on, as JSON can hold it. With ``resume``
    :attr:`start` is where an earlier run was and the results are cut back to that; else, and if there are no
    results yet, it is the beginning. What is on disk of an earlier run is replaced by :meth:`begin` only.

    Raises :class:`SinkError` when there are results but none of their checkpoints, when those are of another
    run, when the results were changed meanwhile, when the file cannot be written, and while another process
    writes to the results. They are held until it is closed.
    """

    def __init__(self, results: Path, run: Mapping[str, Any], resume: bool = False) -> None:
        self._results = results
        self._path = results.with_name(results.name + ".resume")
        self._run = json.loads(json.dumps(run))  # as it is read back: tuples become lists
        self._keeps = resume
        self._lock = Lock(results)
        try:
            self.start = self._last = self._resumed() if resume else Checkpoint()
        except SinkError:
            self.close()
            raise

    def begin(self) -> None:
        """The results are open: from now on a run that is cut short can be resumed."""
        self.close()
        self._lock = Lock(self._results)  # it may not have been there before
        self._write(self.start)

    def close(self) -> None:
        """Let another run write to the results; closing twice is fine."""
        self._lock.close()

    def note(self, done: int, memory: Callable[[], Any]) -> None:
        """Say that the results of ``done`` frames are in the file, flushed; now and then that is kept."""
        if done - self._last.done >= EVERY:
            self._keep(done, memory())

    def ended(self, done: int, error: str | None) -> None:
        """The run is over, with the ``error`` of its input, if any: nothing is left to resume.

        Who wanted to resume may do so again, so that is kept for them.
        """
        if self._keeps:
            self._keep(done, error, ended=True)
        else:
            with sink_errors(self._path):
                self._path.unlink(missing_ok=True)

    def _keep(self, done: int, memory: Any, ended: bool = False) -> None:
        with sink_errors(self._results):
            size = self._results.stat().st_size
            crc = _crc32(self._results, self._last.size, size, self._last.crc32)
        self._write(Checkpoint(done, size, crc, memory, ended))

    def _write(self, checkpoint: Checkpoint) -> None:
        self._last = checkpoint
        text = json.dumps({"format": _FORMAT, "run": self._run, **asdict(checkpoint)})
        with sink_errors(self._path):
            write_whole(self._path, f"{text}\n".encode())

    def _resumed(self) -> Checkpoint:
        if not self._path.exists():
            if self._results.exists() and self._results.stat().st_size:
                raise self._refusal(f"{self._path.name} is not there, so it is complete or of other origin")
            return Checkpoint()
        checkpoint = self._read()
        with sink_errors(self._results):
            size = self._results.stat().st_size if self._results.exists() else 0
            if size < checkpoint.size or checkpoint.crc32 != _crc32(self._results, 0, checkpoint.size):
                raise self._refusal("it was changed since")
            if size:
                os.truncate(self._results, checkpoint.size)
        return checkpoint

    def _read(self) -> Checkpoint:
        try:
            fields = json.loads(self._path.read_text(encoding="utf-8"))
            if fields.pop("format") != _FORMAT:
                raise self._refusal("an other version of tracker began it")
            run = dict(fields.pop("run"))
            checkpoint = Checkpoint(**fields)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self._refusal(f"{self._path.name} cannot be used ({type(error).__name__})") from error
        for difference in _differences(run, self._run):
            raise self._refusal(difference)
        return checkpoint

    def _refusal(self, why: str) -> SinkError:
        return SinkError(f"cannot resume {self._results}: {why}; to start anew leave --resume out")


def input_identity(paths: Sequence[Path]) -> dict[str, Any]:
    """What tells these input files from others: name, size and time of change, or of several a hash of all.

    A file that cannot be looked at counts as such.
    """
    about: list[tuple[Any, ...]] = []
    for path in paths:
        about.append((path.name,))
        with suppress(OSError):
            stat = path.stat()
            about[-1] = (path.name, stat.st_size, stat.st_mtime_ns)
    if len(about) == 1:
        return {"input": list(about[0])}
    return {"input": [len(about), sha256(repr(about).encode()).hexdigest()]}


def run_identity(kind: str, paths: Sequence[Path], **settings: Any) -> dict[str, Any]:
    """All that the results of a run over ``paths`` depend on: ``settings``, inputs and our own version."""
    return {"kind": kind, "tracker": library_versions().get("tracker"), **input_identity(paths), **settings}


def _crc32(path: Path, start: int, end: int, crc: int = 0) -> int:
    """That of the bytes from ``start`` to ``end``, going on from ``crc``."""
    if end == start:
        return crc
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (data := file.read(min(_CHUNK, end - start))):
            crc = zlib.crc32(data, crc)
            start += len(data)
    return crc


def _differences(was: Any, now: Any, name: str = "") -> Iterator[str]:
    """What is not the same in two objects of JSON, each with the names that lead to it."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            yield from _differences(was.get(key), now.get(key), f"{name}.{key}" if name else key)
    elif was != now:
        yield f"{name} was {_short(was)}, now {_short(now)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
