"""Training on labelled pictures of one's own, of any scheme."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from tracker.scheme.plain import to_plain
from tracker.scheme.value import Scheme
from train.config import TrainConfig
from train.data.leaks import refuse_own_leaks
from train.data.own_split import OwnData, Split
from train.data.readers import LabelledFace
from train.models.load import shipped_weights
from train.models.registry import build
from train.processes import is_first_process
from train.progress import progress_bar
from train.training.landmarks import initial_network, starts_from_shipped
from train.training.options import RunOptions
from train.training.predictions import write_predictions
from train.training.run import run_training
from train.training.task import Task, landmark_task, limited

Say = Callable[[str], object]

SHIPPED, NONE = "shipped", "none"
"""Sources of the initial weights besides a file: the shipped model of the network, and random numbers."""


def train_points(
    config: TrainConfig, own: OwnData, split: Split, scheme: Scheme, options: RunOptions, say: Say
) -> Path | None:
    """Train ``config.model`` on the faces of ``split``, which ``own`` describes, and validate it on them.

    ``config.init`` is :data:`SHIPPED`, :data:`NONE` or a file of weights. Returns the weights' path on the
    first process and None on the others. ``say`` is called, on the first process, with what the user is to
    know of the data and of the initial weights. Raises :class:`~train.data.leaks.LeakError` if a validation
    picture or person is among the training pictures.
    """
    started = config.init
    if started == SHIPPED:
        config = replace(config, init=str(shipped_weights(config.model)))
    elif started == NONE:
        config = replace(config, init="")
    if is_first_process():
        for note in split.notes:
            say(f"note: {note}")
        say(f"{len(split.training)} faces train and {len(split.validation)} validate: {own.rule}")
        _look_for_copies(split, scheme, say)
    fresh = initial_network(config, split.training, say, in_part=True, scheme=scheme)
    make = (
        partial(build, config.model, scheme.n_points, backbone=config.backbone)
        if options.has_checkpoint
        else fresh
    )
    shipped = starts_from_shipped(config, options)
    return run_training(config, make, points_task(config, own, split, scheme, started, shipped), options)


def points_task(
    config: TrainConfig, own: OwnData, split: Split, scheme: Scheme, started: str, shipped: bool
) -> Task:
    """Return the task of locating the points of ``scheme``, with what an export must know in its record.

    ``started`` is what the weights start from, and ``shipped`` tells whether that goes back to shipped ones.
    """
    task = landmark_task(config, split.training, split.validation, scheme)
    rule = {"source": str(own.source), "validation": own.validation, "person": own.person}
    about = {
        "scheme": to_plain(scheme),
        "own": {**rule, "rule": own.rule, "init": started, "shipped": shipped},
    }
    look = partial(write_predictions, scheme=scheme)
    return replace(task, unit=error_unit(scheme), about=about, look=look)


def error_unit(scheme: Scheme) -> str:
    """Return the unit of errors, with what they are divided by."""
    if scheme.normaliser is None:
        return "% of the box"
    first, second = scheme.normaliser
    if scheme.names:
        return f"% of {scheme.names[first]}-{scheme.names[second]}"
    return f"% of the distance {first}-{second}"


def limited_split(split: Split, limit: int) -> Split:
    """Return ``split`` with at most ``limit`` faces in each part; 0 for all."""
    return replace(
        split, training=limited(split.training, limit), validation=limited(split.validation, limit)
    )


def _look_for_copies(split: Split, scheme: Scheme, say: Say) -> None:
    faces: Sequence[LabelledFace] = [*split.training, *split.validation]
    with progress_bar("comparing images", len(faces)) as advance:
        copies = refuse_own_leaks(split.training, split.validation, scheme, advance)
    if copies:
        say(
            f"note: training pictures that look like a validation picture: {len(copies)}, such as "
            f"{copies[0].training} and {copies[0].held_out}; if they are copies, or frames of one film, the "
            "validation error is too low; --person or --validation with a list keeps them together"
        )
