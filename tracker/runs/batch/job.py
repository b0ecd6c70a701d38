"""One job of a batch: its results appear complete or not at all, with a record beside them."""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import cv2

from tracker.errors import SourceError, TrackerError
from tracker.runs.batch.plan import Job
from tracker.runs.batch.records import Outcome, Record, job_identity, write_record
from tracker.runs.loop import Run, run_images, run_video
from tracker.runs.observer import NullObserver, RunObserver
from tracker.runs.outputs import Outputs
from tracker.sinks.json_lines import JsonSink
from tracker.sources.images.source import ImageSource, find_images
from tracker.sources.video.source import VideoSource
from tracker.system.files import guarded_write
from tracker.tracking.opening import OpenedTracker, TrackerOptions

_DRAFT = re.compile(r"\.(.+)\.[0-9a-f]{8}\.part", re.DOTALL)
_NO_OBSERVER = NullObserver()


def do_job(job: Job, folder: Path, options: TrackerOptions, observer: RunObserver = _NO_OBSERVER) -> Outcome:
    """Do ``job`` and put its results into ``folder``. Errors become part of the outcome.

    A damaged file leaves the results of its good frames. An exception that ``observer`` raises ends the job.
    """
    started = time.perf_counter()
    results = folder / job.name
    draft = results.with_name(f".{results.name}.{secrets.token_hex(4)}.part")
    try:
        identity = job_identity(job, options)
        with guarded_write(results.parent):
            results.parent.mkdir(parents=True, exist_ok=True)
        error = _write_draft(job, draft, _opened(options), observer)
        outcome = Outcome(*_counts(draft), round(time.perf_counter() - started, 3), error)
        if outcome.frames or not error:
            size = _publish(draft, results)
            write_record(job, folder, Record(identity, size, outcome))
    except TrackerError as problem:
        return Outcome(seconds=round(time.perf_counter() - started, 3), error=str(problem))
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return outcome


def remove_drafts(jobs: Iterable[Job], folder: Path) -> None:
    """Remove the drafts that killed workers left of ``jobs``; none may be running."""
    names: dict[Path, set[str]] = {}
    for job in jobs:
        results = folder / job.name
        names.setdefault(results.parent, set()).add(results.name)
    for parent, known in names.items():
        with suppress(OSError):
            drafts = [p for p in parent.iterdir() if (m := _DRAFT.fullmatch(p.name)) and m[1] in known]
            for draft in drafts:
                draft.unlink()


@lru_cache(maxsize=1)
def _opened(options: TrackerOptions) -> OpenedTracker:
    """Return a tracker of this process; its models are opened once."""
    cv2.setNumThreads(options.threads)
    return options.open()


def _write_draft(job: Job, draft: Path, opened: OpenedTracker, observer: RunObserver) -> str | None:
    """Write the results of ``job`` to ``draft``. Returns the error of the input, if any."""
    tracker = opened.fresh()
    try:
        if job.kind == "images":
            paths = find_images(job.source)
            with JsonSink(draft, paths) as sink:
                run_images(ImageSource(paths), Run(tracker, _outputs(sink), observer))
        else:
            with VideoSource(Path(job.source)) as source, JsonSink(draft, [source.path]) as sink:
                run_video(source, Run(tracker, _outputs(sink), observer))
    except SourceError as error:
        return str(error)
    return None


def _outputs(sink: JsonSink) -> Outputs:
    return Outputs(results=(sink,), failures=(sink,))


def _counts(results: Path) -> tuple[int, int]:
    """Return the number of frames or images, and of the faces in all of them."""
    frames = faces = 0
    with suppress(FileNotFoundError), results.open("rb") as file:
        for line in file:
            frames += 1
            faces += len(json.loads(line)["faces"])
    return frames, faces


def _publish(draft: Path, results: Path) -> int:
    """Move ``draft`` to ``results`` once it is on the disk. Returns its size in bytes.

    The record follows: a job that is killed in between is done again.
    """
    with guarded_write(results):
        size = draft.stat().st_size
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(results)
    return size
