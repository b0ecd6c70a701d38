"""Options of the commands offer the choices and defaults of the code behind them.

They are written out there, because importing that code would slow ``--help`` down.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import asdict
from types import NoneType
from typing import Any, get_args

import pytest

from tracker.cli import options
from tracker.cli.batch import batch
from tracker.cli.track import track
from tracker.drawing.anonymise import Mode
from tracker.inference.backends import BACKENDS
from tracker.inference.opening import DetectorName
from tracker.tracking.opening import SmoothingName, TrackerOptions, open_tracker


def choices(option: Any) -> tuple[str, ...]:
    """Return the values of an option that is a literal, or a literal or None."""
    kind = get_args(option)[0]
    if NoneType in get_args(kind):
        kind = next(part for part in get_args(kind) if part is not NoneType)
    return get_args(kind)


@pytest.mark.parametrize(
    ("option", "names"),
    [(options.Detector, DetectorName), (options.Smoothing, SmoothingName), (options.Anonymise, Mode)],
)
def test_an_option_has_the_choices_of_the_code(option: Any, names: Any) -> None:
    assert choices(option) == get_args(names)


def test_the_help_of_the_backend_lists_all() -> None:
    metavar = get_args(options.Backend)[1].metavar
    assert sorted(metavar.split("|")) == sorted(["auto", *BACKENDS])


@pytest.mark.parametrize("function", [track, batch, open_tracker])
def test_the_defaults_are_those_of_the_tracker_options(function: Callable[..., object]) -> None:
    parameters = inspect.signature(function).parameters
    defaults = asdict(TrackerOptions())
    assert {name: parameters[name].default for name in defaults} == defaults
