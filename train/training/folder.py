"""Folder of a run: its own, so that no file of anything else is replaced or removed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import lightning_fabric
from filelock import lock_descriptor

from train.errors import RunError
from train.training.options import LAST
from train.training.record import CONFIG, read_record

LOG, CURVES = "log.csv", "curves.png"
EVENTS = "tensorboard/events.out.tfevents.run"
"""The one event file of a run; TensorBoard takes the folder, or any above it, as its ``--logdir``."""
SAMPLES = "samples-plain.png", "samples-augmented.png"

_OWN = (CONFIG, LOG, CURVES, EVENTS, *SAMPLES)
_DRAFTS = (f"{LAST}.part", "config.part.json", "log.part.csv", "curves.part.png")
"""Files that a run writes before its first checkpoint, and what is left of them where it was killed."""


def another(out: Path) -> str:
    """Return the option, as a shell takes it, that names the first folder beside ``out`` that is free."""
    free = next(out.with_name(f"{out.name}-{n}") for n in count(2) if not _exists(out, n))
    return f"--out {shlex.quote(str(free))}"


def _exists(out: Path, number: int) -> bool:
    return out.with_name(f"{out.name}-{number}").exists()


@contextmanager
def alone_in(out: Path, fabric: lightning_fabric.Fabric) -> Iterator[None]:
    """Hold the folder ``out``, which is created, for this run: two would replace each other's files.

    The lock is advisory. It ends with the process, even if that is killed, once the workers that it forked
    have gone, too: they share it. There is none where the system cannot lock folders. Raises
    :class:`RunError` on all processes if another run holds it.
    """
    # Not the tracker's own lock: training knows none of its rooms but the vocabulary.
    refusal, descriptor = "", None
    if fabric.is_global_zero:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            refusal = f"{out} cannot be made: {error.strerror}; choose another --out"
        with suppress(OSError):
            descriptor = os.open(out, os.O_RDONLY)
            if not refusal and not lock_descriptor(descriptor, blocking=False):
                refusal = (
                    f"another run is writing to {out}: wait for its end, or give this one {another(out)}"
                )
    try:
        if refusal := fabric.broadcast(refusal):
            raise RunError(refusal)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def open_folder(out: Path, resume: bool, fabric: lightning_fabric.Fabric) -> bool:
    """Check that the folder ``out`` is this run's, and return whether a checkpoint is in it.

    What a run left that ended before its first checkpoint is removed, nothing else ever is. Raises
    :class:`RunError` on all processes if the folder holds other files, or a run that is not to be resumed.
    """
    last = out / LAST
    there = bool(fabric.broadcast(last.is_file()))
    if last.is_file() != there:
        raise RunError(f"{out} differs between machines: put --out on a disk that all of them share")
    if there and not resume:
        raise RunError(f"{last} is there already: go on with --resume, or begin another with {another(out)}")
    if not there:
        refusal = fabric.broadcast(_cleared(out) if fabric.is_global_zero else "")
        if refusal:
            raise RunError(refusal)
    return there


def _cleared(out: Path) -> str:
    """Remove what a run without checkpoint left in ``out``; return why that is not possible, or nothing."""
    try:
        paths = [path for path in out.rglob("*") if path.is_symlink() or path != (out / EVENTS).parent]
        names = [path.relative_to(out).as_posix() for path in paths]
        ours = read_record(out) is not None
        others = sorted(name for name in names if not ours or name not in (*_OWN, *_DRAFTS))
        if others:
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            return f"{out} holds {others[0]}{more}, which this run did not make: give it {another(out)}"
        for name in names:
            (out / name).unlink()
    except OSError as error:
        return f"{error.filename} cannot be replaced: {error.strerror}; choose {another(out)}"
    return ""
