"""Fixtures and settings that all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.cache import Clips, Trackers
from tests.leftovers import adopt_orphans, no_leftovers
from tests.skips import SkipsInCi
from tests.strategies import EVERYDAY_EXAMPLES

pytest_plugins = ["pytester"]

adopt_orphans()
settings.register_profile("everyday", max_examples=EVERYDAY_EXAMPLES, deadline=None)
settings.register_profile("ci", max_examples=100, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "everyday"))


def pytest_configure(config: pytest.Config) -> None:
    """In CI, fail for a skip that is not on the list; workers of xdist leave that to their controller."""
    if os.environ.get("CI") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipsInCi(), "skips-in-ci")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The data folder: $TRACKER_DATA, or shared/data beside the repository. Skips without it."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("TRACKER_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no data in {folder}; set TRACKER_DATA to the folder that holds 300w/")
    return folder


@pytest.fixture(scope="session")
def trackers() -> Iterator[Trackers]:
    """Trackers on models that are opened once a session."""
    with Trackers() as opened:
        yield opened


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Generated clips, each encoded once a session; read them, never change them."""
    return Clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    """Fail a test that leaves processes or threads running, and kill the processes."""
    with no_leftovers():
        yield
