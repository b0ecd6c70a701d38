"""The shipped face detector, opened once a session."""

from __future__ import annotations

import pytest

from tests.faces import blazeface
from tracker.inference.detection.blazeface import BlazeFace


@pytest.fixture(scope="session")
def detector() -> BlazeFace:
    return blazeface()
