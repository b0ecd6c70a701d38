"""One job of a batch: its results appear complete or not at all, with a record beside them."""

from __future__ import annotations

import json
import logging
import os
import time
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from tracker.errors import SourceError, TrackerError, WeightsError
from tracker.runs.batch.drafts import draft_of, remove_drafts
from tracker.runs.batch.plan import Job
from tracker.runs.batch.records import Outcome, Record, job_identity, record_path, write_record
from tracker.runs.loop import Run, run_images, run_video
from tracker.runs.observer import NullObserver, RunObserver
from tracker.runs.outputs import Outputs
from tracker.sinks.json_lines import JsonSink
from tracker.sources.images.source import ImageSource, find_images
from tracker.sources.opening import open_film
from tracker.system.files import guarded_write
from tracker.system.terminal import printable, shortened
from tracker.tracking.opening import OpenedTracker, TrackerOptions, keep_opencv_to_one_thread

_NO_OBSERVER = NullObserver()

log = logging.getLogger(__name__)


def do_job(job: Job, folder: Path, options: TrackerOptions, observer: RunObserver = _NO_OBSERVER) -> Outcome:
    """Do ``job`` and put its results into ``folder``. Errors become part of the outcome, unforeseen ones too.

    A damaged file leaves the results of its good frames. ``SystemExit`` from ``observer`` ends the job.
    """
    started = time.perf_counter()
    results = folder / job.name
    draft = draft_of(results)
    try:
        identity = job_identity(job, options)
        with guarded_write(results.parent):
            results.parent.mkdir(parents=True, exist_ok=True)
        tracker = _opened(options)
        if not _is_of(tracker, identity):
            raise WeightsError(f"model {options.model} was replaced during the batch: start the batch again")
        error = _write_draft(job, draft, tracker, observer)
        frames, faces, left_out = _counts(draft)
        outcome = Outcome(frames, faces, round(time.perf_counter() - started, 3), error, left_out)
        if outcome.frames or not error:
            size = _publish(draft, results)
            write_record(job, folder, Record(identity, size, outcome))
    except Exception as problem:  # a fault that nobody foresaw must not end the worker and the other jobs
        log.debug("%s", job.source, exc_info=True)
        error = str(problem) if isinstance(problem, TrackerError) else _unforeseen(job, problem)
        return Outcome(seconds=round(time.perf_counter() - started, 3), error=error)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return outcome


def remove_drafts_of(jobs: Iterable[Job], folder: Path) -> None:
    """Remove the drafts of results and records that killed workers left of ``jobs``; none may be running."""
    remove_drafts(path for job in jobs for path in (folder / job.name, record_path(job, folder)))


@lru_cache(maxsize=1)
def _opened(options: TrackerOptions) -> OpenedTracker:
    """Return a tracker of this process; its models are opened once."""
    keep_opencv_to_one_thread()
    return options.open()


def _is_of(tracker: OpenedTracker, identity: Mapping[str, Any]) -> bool:
    """Return whether the files of ``tracker``, opened for an earlier job, are those of ``identity``."""
    model, detector = tracker.made_by["model"], tracker.made_by["detector"]
    hashes = {value for name, value in model.items() if name.endswith("sha256")}
    return hashes <= {*identity["weights"]} and detector == identity["detector"]


def _unforeseen(job: Job, error: Exception) -> str:
    """Return an error that no module foresaw in one line, with the place where it was raised."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = printable(shortened(f"{type(error).__name__}: {error}", 200))
    where = f"{Path(place.filename).name}:{place.lineno}"
    return f"{job.source}: reading it failed in an unforeseen way ({what}, {where}); please report it"


def _write_draft(job: Job, draft: Path, opened: OpenedTracker, observer: RunObserver) -> str | None:
    """Write the results of ``job`` to ``draft``. Returns the error of the input, if any."""
    tracker = opened.fresh()
    try:
        if job.kind == "images":
            paths = find_images(job.source)
            with JsonSink(draft, paths) as sink:
                run_images(ImageSource(paths), Run(tracker, _outputs(sink), observer))
        else:
            with open_film(Path(job.source)) as source, JsonSink(draft, source.paths) as sink:
                run_video(source, Run(tracker, _outputs(sink), observer))
    except SourceError as error:
        return str(error)
    return None


def _outputs(sink: JsonSink) -> Outputs:
    return Outputs(results=(sink,), failures=(sink,))


def _counts(results: Path) -> tuple[int, int, int]:
    """Return the number of frames or images, of the faces in all of them, and of those that lack faces."""
    frames = faces = left_out = 0
    with suppress(FileNotFoundError), results.open("rb") as file:
        for line in file:
            record = json.loads(line)
            frames += 1
            faces += len(record["faces"])
            left_out += "left_out" in record
    return frames, faces, left_out


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
