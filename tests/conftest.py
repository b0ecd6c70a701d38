"""What all tests share: where the data is, and Hypothesis without a stop-watch."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("tracker", deadline=None)
settings.load_profile("tracker")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The data folder: $TRACKER_DATA, or shared/data beside the repository. Skips without it."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("TRACKER_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no data in {folder}; set TRACKER_DATA to the folder that holds 300w/")
    return folder
