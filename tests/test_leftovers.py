from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from tests import leftovers
from tests.cli import wait_until
from tests.leftovers import LeftoversError, no_leftovers, running_children

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
ORPHAN = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "GRACE_S", 0.2)


@pytest.mark.skipif(sys.platform != "linux", reason="children are listed on Linux only")
@pytest.mark.parametrize("orphan", [False, True])
def test_a_process_that_outlives_its_test_is_killed_and_named(orphan: bool) -> None:
    before = set(running_children())
    with pytest.raises(LeftoversError, match=r"time\.sleep"), no_leftovers():
        if orphan:
            subprocess.run([sys.executable, "-c", ORPHAN], check=True)
        else:
            child = subprocess.Popen(SLEEP)
    if not orphan:
        assert child.wait(10) < 0
    wait_until(lambda: set(running_children()) <= before)


def test_a_thread_that_outlives_its_test_is_named() -> None:
    go = threading.Event()
    with pytest.raises(LeftoversError, match="thread lingering"), no_leftovers():
        thread = threading.Thread(target=go.wait, name="lingering")
        thread.start()
    go.set()
    thread.join()


def test_what_has_ended_is_no_matter() -> None:
    with no_leftovers():
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
        subprocess.run([sys.executable, "-c", ""], check=True)
