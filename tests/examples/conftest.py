from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.moving_portrait import FPS, Pose, blinking, film
from tracker.inference.opening import open_detector, open_landmarker

BLINKS_S = (1.0, 1.8, 2.6)

_open_landmarker, _open_detector = cache(open_landmarker), cache(open_detector)


@pytest.fixture(autouse=True)
def _models_open_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all examples share the default models, which takes most of their time to open."""
    monkeypatch.setattr("tracker.tracking.opening.open_landmarker", _open_landmarker)
    monkeypatch.setattr("tracker.tracking.opening.open_detector", _open_detector)


@pytest.fixture(scope="session")
def blinks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of a face that blinks at :data:`BLINKS_S`."""
    return film(tmp_path_factory.mktemp("blinks") / "blinks.mp4", blinking(BLINKS_S, 3.4))


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of a mouth that opens twice, for half a second from 0.4 s and 1.4 s on."""
    opened = [0.4 <= index / FPS % 1.0 < 0.9 for index in range(2 * FPS)]
    poses = [Pose(jaw=0.3 if is_open else 0.0) for is_open in opened]
    return film(tmp_path_factory.mktemp("speech") / "speech.mp4", poses)


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of eight pictures of the portrait."""
    return film(tmp_path_factory.mktemp("short") / "short.mp4", [Pose()] * 8)
