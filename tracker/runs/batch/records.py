"""Records of a batch: what each file of results was made from, to skip jobs that are done."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tracker.errors import SourceError
from tracker.runs.batch.plan import Job, hashed
from tracker.runs.identity import RunIdentity
from tracker.sources.images.source import find_images
from tracker.system.files import guarded_write
from tracker.tracking.opening import TrackerOptions

RECORDS = ".batch"
"""Folder in the output with a record for each file of results."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of a job: frames (or images) and faces in its results, seconds of work, and its error, if any.

    Raises ``ValueError`` and ``TypeError`` for other values, which a damaged record may hold.
    """

    frames: int = 0
    faces: int = 0
    seconds: float = 0.0
    error: str | None = None

    def __post_init__(self) -> None:
        counts = (self.frames, self.faces)
        if not all(isinstance(count, int) and count >= 0 for count in counts):
            raise ValueError(f"frames and faces must be integers from 0 on, got {counts}")
        if not isinstance(self.seconds, int | float) or not isinstance(self.error, str | None):
            raise TypeError(f"seconds must be a number and error text, got {self.seconds!r}, {self.error!r}")


@dataclass(frozen=True)
class Record:
    """Record of a job: the identity of its run, the size of its results in bytes, and the outcome."""

    run: Mapping[str, Any]
    size: int
    outcome: Outcome

    @classmethod
    def from_json(cls, data: Any) -> Record:
        """Return the record in JSON ``data``.

        Raises ``ValueError``, ``KeyError`` or ``TypeError`` for anything else.
        """
        return cls(dict(data["run"]), int(data["size"]), Outcome(**data["outcome"]))


def job_identity(job: Job, options: TrackerOptions) -> dict[str, Any]:
    """Return everything that the results of ``job`` depend on, as JSON-compatible data.

    Raises :class:`~tracker.errors.SourceError` for a folder without images and
    :class:`~tracker.errors.WeightsError` for an unknown model.
    """
    inputs = (Path(job.source),) if job.kind == "video" else find_images(job.source)
    return RunIdentity(job.kind, inputs, {"source": job.source, **options.identity()}).to_json()


def finished(job: Job, folder: Path, options: TrackerOptions) -> Outcome | None:
    """Return the outcome of a ``job`` that is done without error, None if it must be done.

    Its results must be complete in ``folder``, from the same input and with the same options.
    """
    record = _read(job, folder)
    if record is None or record.outcome.error:
        return None
    with suppress(OSError, SourceError):
        same = record.run == job_identity(job, options)
        complete = (folder / job.name).stat().st_size == record.size
        if same and complete:
            return record.outcome
    return None


def keep_apart(jobs: Iterable[Job], folder: Path) -> list[Job]:
    """Return ``jobs``, renamed where their results in ``folder`` are of another input."""
    return [hashed(job) if _recorded_source(job, folder) not in (job.source, None) else job for job in jobs]


def write_record(job: Job, folder: Path, record: Record) -> None:
    """Write the record of ``job``, complete or not at all. Raises :class:`~tracker.errors.SinkError`."""
    path = _path(job, folder)
    with guarded_write(folder / job.name):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        try:
            part.write_text(json.dumps(asdict(record)) + "\n", encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _recorded_source(job: Job, folder: Path) -> object:
    """Return the input of the results under the job's name, None if that is not known."""
    record = _read(job, folder)
    if record is None or not (folder / job.name).exists():
        return None
    return record.run.get("source")


def _read(job: Job, folder: Path) -> Record | None:
    with suppress(OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return Record.from_json(json.loads(_path(job, folder).read_text(encoding="utf-8")))
    return None


def _path(job: Job, folder: Path) -> Path:
    return folder / RECORDS / f"{job.name}.json"
