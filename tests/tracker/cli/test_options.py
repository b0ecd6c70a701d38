"""Options of the commands offer the choices and defaults of the code behind them.

They are written out there, because importing that code would slow ``--help`` down.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import asdict
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest

from tests.cli import run_cli
from tracker.cli import options
from tracker.cli.batch import batch
from tracker.cli.track import track
from tracker.drawing.anonymise import Mode
from tracker.drawing.masks import LEAST_SCALE, MOST_SCALE
from tracker.drawing.style import DEFAULT_STYLE, LAYERS, NONE
from tracker.inference.backends import BACKENDS, MOST_THREADS
from tracker.inference.opening import DETECTORS
from tracker.tracking.opening import FaceLimits, SmoothingName, TrackerOptions, open_tracker


def choices(option: Any) -> tuple[str, ...]:
    """Return the values of an option that is a literal, or a literal or None."""
    kind = get_args(option)[0]
    if NoneType in get_args(kind):
        kind = next(part for part in get_args(kind) if part is not NoneType)
    return get_args(kind)


@pytest.mark.parametrize(
    ("option", "names"),
    [(options.Smoothing, SmoothingName), (options.Anonymise, Mode)],
)
def test_an_option_has_the_choices_of_the_code(option: Any, names: Any) -> None:
    assert choices(option) == get_args(names)


def test_the_names_of_the_detectors_are_those_of_the_code() -> None:
    assert options.DETECTORS == DETECTORS
    assert get_args(options.Detector)[1].metavar.split("|") == [*DETECTORS, "FILE.onnx"]


def test_the_help_of_the_backend_lists_all() -> None:
    metavar = get_args(options.Backend)[1].metavar
    assert sorted(metavar.split("|")) == sorted(["auto", *BACKENDS])


def test_the_limits_of_the_mask_are_those_of_the_code() -> None:
    option = get_args(options.MaskScale)[1]
    assert (option.min, option.max) == (LEAST_SCALE, MOST_SCALE)


@pytest.mark.parametrize("command", [track, batch])
def test_the_limit_of_the_threads_is_that_of_the_code(command: Callable[..., object]) -> None:
    option = get_args(get_type_hints(command, include_extras=True)["threads"])[1]
    assert (option.min, option.max) == (0, MOST_THREADS)


def test_the_help_of_draw_lists_all_layers_and_the_default() -> None:
    text = get_args(options.Draw)[1].help
    assert (
        f"{NONE}, or some of {', '.join(LAYERS)} with commas between. Default: {DEFAULT_STYLE.name}." in text
    )
    shown = run_cli("--help", env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"}).stdout
    row = shown.split("--draw")[1].split("--labels-on-faces")[0]
    assert all(re.search(rf"\b{layer}, " if layer != LAYERS[-1] else rf"\b{layer} ", row) for layer in LAYERS)
    assert "…" not in row


@pytest.mark.parametrize("function", [track, batch, open_tracker])
def test_the_defaults_are_those_of_the_tracker_options(function: Callable[..., object]) -> None:
    parameters = inspect.signature(function).parameters
    defaults = asdict(TrackerOptions())
    del defaults["max_still_faces"]  # the command line has one option for both limits
    if function is not track:
        del defaults["boxes"]  # of one video, or of pictures
    if function is open_tracker:
        for name in get_type_hints(FaceLimits):
            assert defaults.pop(name) == 0
    else:
        assert defaults["max_faces"] == options.DEFAULT_MAX_FACES
        defaults["max_faces"] = None  # not given: the default in videos, no limit in images
    assert {name: parameters[name].default for name in defaults} == defaults
