"""What a batch consists of: which inputs there are, and under which name the results of each go."""

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
"""File name endings that count as videos inside a folder."""


@dataclass(frozen=True)
class Job:
    """One input and the file of its results, relative to the batch's output folder.

    ``source`` is absolute: a video, or the folder (or single file) of ``images``. ``size`` counts its bytes.
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
    """The jobs for ``inputs``: files, and folders with all that is in and below them, each once.

    In a folder every video is a job, and every folder's own images together are one. The results of
    ``corpus/a/clip.mp4`` are named ``corpus/a/clip.mp4.jsonl`` if ``corpus`` was given, ``clip.mp4.jsonl``
    if the file was; those that would share a name get a hash of their full paths into it. Raises
    :class:`SourceError` for an input that is not there or holds nothing.
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
    # Links stay as they are: names are those that the user sees.
    top = Path(os.path.abspath(given))  # noqa: PTH100
    if not top.exists():
        raise SourceError(f"{given} is not there: give videos, or folders that hold videos or images")
    if not top.is_dir():
        still = top.suffix.lower() in IMAGE_SUFFIXES - {".gif"}
        return [_job(top, "images" if still else "video", top.name, _size(top))]
    jobs: list[Job] = []

    def cannot_read(error: OSError) -> None:  # it fails with the same error when its turn comes
        folder = Path(error.filename)
        jobs.append(_job(folder, "images", str(folder.relative_to(top.parent)), 0))

    for folder, folders, files in os.walk(top, onerror=cannot_read):
        folders.sort()
        # A pipe would keep a worker waiting for ever; what cannot be looked at is an error later.
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
    except OSError:  # it will be reported when its turn comes
        return 0


def _without_collisions(jobs: Sequence[Job]) -> list[Job]:
    """Names that no two share, also where upper and lower case are the same; a name depends on the others
    only by whether one has the same."""
    counts = Counter(job.name.casefold() for job in jobs)
    return [hashed(job) if counts[job.name.casefold()] > 1 else job for job in jobs]


def hashed(job: Job) -> Job:
    """The same job under a name that no job of another source has."""
    digest = sha256(os.fsencode(job.source)).hexdigest()[:8]
    return replace(job, name=f"{job.name.removesuffix('.jsonl')}-{digest}.jsonl")
