"""Plan of a batch: its jobs, and the name of the results of each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal

from tracker.errors import SourceError
from tracker.sources.images.source import SUFFIXES as IMAGE_SUFFIXES

# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".3g2", ".3gp", ".asf", ".avi", ".flv", ".h264", ".264", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg",
    ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m",
})
# fmt: on
"""File name suffixes that count as videos inside a folder."""


@dataclass(frozen=True)
class Job:
    """One input, and the name of its results relative to the output folder.

    ``source`` is the absolute path of a video, or of the folder (or single file) of ``images``. ``size`` is
    its size in bytes. Raises ``ValueError`` for a relative source and a name that is not below the output.
    """

    source: str
    kind: Literal["video", "images"]
    name: str
    size: int

    def __post_init__(self) -> None:
        parts = Path(self.name).parts
        if not parts or ".." in parts or Path(self.name).is_absolute() or not Path(self.source).is_absolute():
            raise ValueError(f"a job needs an absolute source and a name below the output, got {self}")


def plan_jobs(inputs: Sequence[Path]) -> list[Job]:
    """Return the jobs for ``inputs``: files, and folders with everything below them, each once.

    Every video in a folder is a job, and all images directly in one folder are one job together. The results
    of ``corpus/a/clip.mp4`` are named ``corpus/a/clip.mp4.jsonl`` if ``corpus`` is given, ``clip.mp4.jsonl``
    if the file is; names that would collide get a hash of the full path. Raises
    :class:`~tracker.errors.SourceError` for an input that is missing or contains no videos or images.
    """
    found: dict[str, Job] = {}
    for given in inputs:
        jobs = _jobs_of(given)
        if not jobs:
            raise SourceError(f"no videos or images in {given}: give files, or folders that hold some")
        for job in jobs:
            found.setdefault(job.source, job)
    return _without_collisions(list(found.values()))


def _jobs_of(given: Path) -> list[Job]:
    # Links are not resolved: results are named after the paths that the user sees.
    top = Path(os.path.abspath(given))  # noqa: PTH100
    if not top.exists():
        raise SourceError(f"{given} is not there: give videos, or folders that hold videos or images")
    if not top.is_dir():
        still = top.suffix.lower() in IMAGE_SUFFIXES - {".gif"}
        return [_job(top, "images" if still else "video", top.name, _size(top))]
    jobs: list[Job] = []

    def cannot_read(error: OSError) -> None:  # a job that will fail with the same error
        folder = Path(error.filename)
        jobs.append(_job(folder, "images", str(folder.relative_to(top.parent)), 0))

    for folder, folders, files in os.walk(top, onerror=cannot_read):
        folders.sort()
        # A pipe would block a worker for ever; a path that cannot be looked at is an error later.
        found = [Path(folder, name) for name in sorted(files)]
        paths = [path for path in found if os.path.isfile(path) or not os.path.exists(path)]  # noqa: PTH110, PTH113
        below = Path(folder).relative_to(top.parent)
        videos = [path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES]
        jobs += [_job(path, "video", str(below / path.name), _size(path)) for path in videos]
        images = [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES]
        if images:
            jobs.append(_job(Path(folder), "images", str(below), sum(map(_size, images))))
    return jobs


def _job(source: Path, kind: Literal["video", "images"], name: str, size: int) -> Job:
    return Job(str(source), kind, f"{name}.jsonl", size)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # reported when the job is done
        return 0


def _without_collisions(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs with unique names, also on file systems that ignore case.

    A name depends on the other jobs only by whether one has the same name.
    """
    counts = Counter(job.name.casefold() for job in jobs)
    return [hashed(job) if counts[job.name.casefold()] > 1 else job for job in jobs]


def hashed(job: Job) -> Job:
    """Return the same job under a name that no job of another source has."""
    digest = sha256(os.fsencode(job.source)).hexdigest()[:8]
    return replace(job, name=f"{job.name.removesuffix('.jsonl')}-{digest}.jsonl")
