"""Records of a batch: what each file of results was made from, to skip jobs that are done."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tracker.errors import SourceError
from tracker.runs.batch.drafts import draft_of
from tracker.runs.batch.plan import Job, hashed
from tracker.runs.identity import RunIdentity
from tracker.sources.images.source import find_images
from tracker.system.files import guarded_write
from tracker.tracking.opening import TrackerOptions

_FIRST_LINE = 1 << 24  # bytes

RECORDS = ".batch"
"""Folder in the output with a record for each file of results."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of a job: frames (or images) and faces in its results, seconds of work, and its error, if any.

    ``left_out`` counts the frames or images in which a limit left out faces.
    Raises ``ValueError`` and ``TypeError`` for other values, which a damaged record may hold.
    """

    frames: int = 0
    faces: int = 0
    seconds: float = 0.0
    error: str | None = None
    left_out: int = 0

    def __post_init__(self) -> None:
        counts = (self.frames, self.faces, self.left_out)
        if not all(isinstance(count, int) and count >= 0 for count in counts):
            raise ValueError(f"frames, faces and left_out must be integers from 0 on, got {counts}")
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
    """Return ``jobs``, renamed where a file in ``folder`` that is not of their results has their name."""
    return [hashed(job) if _is_of_others(job, folder) else job for job in jobs]


def write_record(job: Job, folder: Path, record: Record) -> None:
    """Write the record of ``job``, complete or not at all. Raises :class:`~tracker.errors.SinkError`."""
    path = record_path(job, folder)
    with guarded_write(folder / job.name):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = draft_of(path)
        try:
            with part.open("x", encoding="utf-8") as file:
                file.write(json.dumps(asdict(record)) + "\n")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def record_path(job: Job, folder: Path) -> Path:
    """Return where the record of ``job`` lies."""
    return folder / RECORDS / f"{job.name}.json"


def _is_of_others(job: Job, folder: Path) -> bool:
    """Return whether a file or folder has the job's name, and it is not of results of the job's input.

    Results without a record, of a job that was killed before it wrote one, are told by their first line.
    """
    results = folder / job.name
    if not results.exists():
        return False
    record = _read(job, folder)
    if record is not None:
        return record.run.get("source") != job.source
    return not _holds_results(results)


def _holds_results(path: Path) -> bool:
    """Return whether the first line of ``path`` is one of the tracker's JSON lines, or the file is empty."""
    try:
        with path.open("rb") as file:
            line = file.readline(_FIRST_LINE)
        return not line or {"source", "frame", "faces"} <= json.loads(line).keys()
    except (OSError, ValueError, AttributeError):
        return False


def _read(job: Job, folder: Path) -> Record | None:
    with suppress(OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return Record.from_json(json.loads(record_path(job, folder).read_text(encoding="utf-8")))
    return None
