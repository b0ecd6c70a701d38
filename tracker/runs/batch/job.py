"""One job of a batch, wherever it is done: results appear whole or not at all, with a record beside them."""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2

from tracker.errors import SourceError, TrackerError
from tracker.runs.batch.plan import Job, hashed
from tracker.runs.checkpoints import run_identity
from tracker.runs.live_stats import Hud
from tracker.runs.loop import Outputs, run_images, run_video
from tracker.sinks.json_lines import JsonSink
from tracker.sources.images.source import ImageSource, find_images
from tracker.sources.video.source import VideoSource
from tracker.system.files import sink_errors
from tracker.tracking.opening import OpenedTracker, TrackerOptions

_DRAFT = re.compile(r"\.(.+)\.[0-9a-f]{8}\.part", re.DOTALL)

RECORDS = ".batch"
"""The folder in the output that holds a record for each result."""


@dataclass(frozen=True)
class Outcome:
    """What came of a job: how many frames (or images) and faces its results hold, and what went wrong."""

    frames: int = 0
    faces: int = 0
    seconds: float = 0.0
    error: str | None = None

    def __post_init__(self) -> None:
        counts = (self.frames, self.faces)
        if not all(isinstance(count, int) and count >= 0 for count in counts):
            raise ValueError(f"an outcome counts from 0, got {counts}")
        if not isinstance(self.seconds, int | float) or not isinstance(self.error, str | None):
            raise TypeError("an outcome has seconds, and its error is text")


def do_job(
    job: Job, folder: Path, options: TrackerOptions, alive: Callable[[], None] = lambda: None
) -> Outcome:
    """Do ``job`` and put its results into ``folder``; what goes wrong is in the outcome.

    A file with damage leaves the results of its good frames. ``alive`` is called after each frame and may
    raise, to end it.
    """
    started = time.perf_counter()
    results = folder / job.name
    draft = results.with_name(f".{results.name}.{secrets.token_hex(4)}.part")
    try:
        identity = _identity(job, options)
        with sink_errors(results.parent):
            results.parent.mkdir(parents=True, exist_ok=True)
        error = _track(job, draft, _opened(options), alive)
        outcome = Outcome(*_counts(draft), round(time.perf_counter() - started, 3), error)
        if outcome.frames or not error:
            _publish(draft, results, folder, job, identity, outcome)
    except TrackerError as problem:
        return Outcome(seconds=round(time.perf_counter() - started, 3), error=str(problem))
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return outcome


def finished(job: Job, folder: Path, options: TrackerOptions) -> Outcome | None:
    """What came of ``job`` if that was well, of this very input, with these options, and is still there."""
    record = _read_record(job, folder)
    try:
        outcome = Outcome(**record["outcome"])
        same = record["run"] == json.loads(json.dumps(_identity(job, options)))
        whole = (folder / job.name).stat().st_size == record["size"]
    except (OSError, ValueError, KeyError, TypeError, SourceError):  # then it is done anew
        return None
    return outcome if same and whole and not outcome.error else None


def keep_apart(jobs: Iterable[Job], folder: Path) -> list[Job]:
    """``jobs`` with other names where an earlier batch gave theirs to the results of another input."""
    return [hashed(job) if _source(job, folder) not in (job.source, None) else job for job in jobs]


def _source(job: Job, folder: Path) -> object:
    """Of which input the results under the job's name are, if that is known."""
    with suppress(OSError, KeyError, TypeError):
        if (folder / job.name).exists():
            return _read_record(job, folder)["run"]["source"]
    return None


def _read_record(job: Job, folder: Path) -> Any:
    """What the record of the job's results says; None without one that can be read."""
    with suppress(OSError, ValueError, RecursionError):
        return json.loads(_record(folder, job).read_text(encoding="utf-8"))
    return None


def remove_drafts(jobs: Iterable[Job], folder: Path) -> None:
    """Remove what killed workers left of ``jobs``. Only while nobody is at them."""
    names: dict[Path, set[str]] = {}
    for job in jobs:
        results = folder / job.name
        names.setdefault(results.parent, set()).add(results.name)
    for parent, known in names.items():
        with suppress(OSError):
            drafts = [p for p in parent.iterdir() if (m := _DRAFT.fullmatch(p.name)) and m[1] in known]
            for draft in drafts:
                draft.unlink()


def _identity(job: Job, options: TrackerOptions) -> dict[str, Any]:
    source = Path(job.source)
    inputs = [source] if job.kind == "video" else find_images(job.source)
    return run_identity(job.kind, inputs, source=job.source, **options.identity())


@lru_cache(maxsize=1)
def _opened(options: TrackerOptions) -> OpenedTracker:
    """Models are opened once a process."""
    cv2.setNumThreads(options.threads)
    return options.open()


def _track(job: Job, draft: Path, opened: OpenedTracker, alive: Callable[[], None]) -> str | None:
    """Write the results of ``job`` to ``draft``. Returns what is wrong with the input, if anything."""
    tracker = opened.fresh()
    try:
        if job.kind == "images":
            paths = find_images(job.source)
            with JsonSink(draft, paths) as sink:
                run_images(ImageSource(paths), tracker, Outputs(sink), alive)
        else:
            with VideoSource(Path(job.source)) as source, JsonSink(draft, [source.path]) as sink:
                run_video(source, tracker, Outputs(sink), Hud(opened.label), None, alive)
    except SourceError as error:
        return str(error)
    return None


def _counts(results: Path) -> tuple[int, int]:
    """Frames or images, and faces in all of them."""
    frames = faces = 0
    with suppress(FileNotFoundError), results.open("rb") as file:
        for line in file:
            frames += 1
            faces += len(json.loads(line)["faces"])
    return frames, faces


def _publish(
    draft: Path, results: Path, folder: Path, job: Job, identity: Mapping[str, Any], outcome: Outcome
) -> None:
    """Results first: killed in between, they are made once more."""
    with sink_errors(results):
        size = draft.stat().st_size
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(results)
        record = _record(folder, job)
        record.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"run": identity, "size": size, "outcome": asdict(outcome)})
        part = record.with_name(f"{record.name}.{secrets.token_hex(4)}.part")
        try:
            part.write_text(text + "\n", encoding="utf-8")
            part.replace(record)
        finally:
            part.unlink(missing_ok=True)


def _record(folder: Path, job: Job) -> Path:
    return folder / RECORDS / f"{job.name}.json"
