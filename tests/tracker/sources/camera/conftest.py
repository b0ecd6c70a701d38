from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.tracker.sources.camera.fakes import capture_threads, wait_until
from tracker.sources.camera import source as camera
from tracker.sources.camera import stream as streams


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten timeouts and delays."""
    monkeypatch.setattr(streams, "READ_TIMEOUT_S", 0.3)
    monkeypatch.setattr(camera, "_STALL_S", 0.3)
    monkeypatch.setattr(camera, "_FIRST_RETRY_S", 0.02)
    monkeypatch.setattr(camera, "IDLE_S", 0.01)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Event that a hanging driver waits for; set at the end, so that no capture thread stays."""
    event = threading.Event()
    yield event
    event.set()
    wait_until(lambda: not capture_threads())
