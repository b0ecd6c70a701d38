"""Plan of a batch: its jobs, and the name of the results of each."""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal

from tracker.errors import SourceError
from tracker.sources.images.frame_count import count_frames
from tracker.sources.images.kind import is_still
from tracker.sources.left_out import ANIMATED, counts_as_video, is_hidden, kind_of, left_out_text
from tracker.sources.suffixes import IMAGE_SUFFIXES

_MAX_NAME_BYTES = 220
"""Longest file name of results: with the ending of a draft or record, file systems take 255."""


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


@dataclass(frozen=True)
class Plan:
    """Jobs of a batch.

    ``left_out`` counts the files in its folders that are no videos or images, and other things there, by
    :func:`~tracker.sources.left_out.kind_of`, and the frames of animations there beyond the first.
    """

    jobs: tuple[Job, ...]
    left_out: Mapping[str, int]


def plan_jobs(inputs: Sequence[Path]) -> list[Job]:
    """Return the jobs of :func:`plan_batch`."""
    return list(plan_batch(inputs).jobs)


def plan_batch(inputs: Sequence[Path]) -> Plan:
    """Return the jobs for ``inputs``: files, and folders with everything below them, each once.

    Every video in a folder is a job, and all images directly in one folder are one job together; hidden files
    are left out. The results of ``corpus/a/clip.mp4`` are named ``corpus/a/clip.mp4.jsonl`` if ``corpus`` is
    given, ``clip.mp4.jsonl`` if the file is; names that would collide get a hash of the full path. Raises
    :class:`~tracker.errors.SourceError` for an input that is missing or contains no videos or images.
    """
    found: dict[str, Job] = {}
    left_out: dict[Path, tuple[str, int]] = {}
    for given in inputs:
        jobs, rest = _jobs_of(given)
        if not jobs:
            there = f" ({left_out_text(_totals(rest.values()))})" if rest else ""
            raise SourceError(f"no videos or images in {given}{there}: give files, or folders that hold some")
        left_out |= rest
        for job in jobs:
            found.setdefault(job.source, job)
    return Plan(
        tuple(_without_collisions(list(found.values()))),
        _totals(left for path, left in left_out.items() if str(path) not in found),
    )


def _totals(left_out: Iterable[tuple[str, int]]) -> Counter[str]:
    """Return the sum of the counts of each kind."""
    totals: Counter[str] = Counter()
    for kind, count in left_out:
        totals[kind] += count
    return totals


def _jobs_of(given: Path) -> tuple[list[Job], dict[Path, tuple[str, int]]]:
    """Return the jobs of an input, and what is left out of it by path: its kind, and how many there are."""
    # Links are not resolved: results are named after the paths that the user sees.
    top = Path(os.path.abspath(given))  # noqa: PTH100
    if not top.exists():
        raise SourceError(f"{given} does not exist: give videos, or folders that hold videos or images")
    if not top.is_dir():
        return [_job(top, "images" if is_still(top) else "video", top.name, _size(top))], {}
    jobs: list[Job] = []
    left_out: dict[Path, tuple[str, int]] = {}

    def cannot_read(error: OSError) -> None:  # a job that will fail with the same error
        folder = Path(error.filename)
        jobs.append(_job(folder, "images", str(folder.relative_to(top.parent)), 0))

    for folder, folders, files in os.walk(top, onerror=cannot_read):
        folders.sort()
        found = [Path(folder, name) for name in sorted(files)]
        paths = [path for path in found if path.suffix.lower() in IMAGE_SUFFIXES or counts_as_video(path)]
        paths = [path for path in paths if not is_hidden(path) and _may_be_file(path)]
        linked = [path for name in folders if (path := Path(folder, name)).is_symlink()]
        left_out |= {path: (kind_of(path), 1) for path in (*(set(found) - set(paths)), *linked)}
        below = Path(folder).relative_to(top.parent)
        videos = [path for path in paths if path.suffix.lower() not in IMAGE_SUFFIXES]
        jobs += [_job(path, "video", str(below / path.name), _size(path)) for path in videos]
        images = [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES]
        frames = {path: count_frames(path) - 1 for path in images}
        left_out |= {path: (ANIMATED, count) for path, count in frames.items() if count}
        if images:
            jobs.append(_job(Path(folder), "images", str(below), sum(map(_size, images))))
    return jobs, left_out


def _may_be_file(path: Path) -> bool:
    """Return whether ``path`` is a file, or cannot be looked at: that is the error of its job.

    A pipe would block a worker for ever, and a broken link is left out.
    """
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        return not (path.is_symlink() and error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP))


def _job(source: Path, kind: Literal["video", "images"], name: str, size: int) -> Job:
    job = Job(str(source), kind, f"{name}.jsonl", size)
    return hashed(job) if len(os.fsencode(Path(job.name).name)) > _MAX_NAME_BYTES else job


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # reported when the job is done
        return 0


def _without_collisions(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs with unique names, also on file systems that ignore case.

    A name depends on the other jobs only by whether one has the same name, or has results in a folder of that
    name.
    """
    counts = Counter(job.name.casefold() for job in jobs)
    counts.update({str(folder).casefold() for job in jobs for folder in Path(job.name).parents})
    return [hashed(job) if counts[job.name.casefold()] > 1 else job for job in jobs]


def hashed(job: Job) -> Job:
    """Return the same job under a name that no job of another source has."""
    digest = sha256(os.fsencode(job.source)).hexdigest()[:8]
    path = Path(job.name.removesuffix(".jsonl"))
    kept = os.fsencode(path.name)[: _MAX_NAME_BYTES - len(f"-{digest}.jsonl")]
    name = f"{kept.decode('utf-8', 'ignore')}-{digest}.jsonl"
    return replace(job, name=str(path.with_name(name)))
