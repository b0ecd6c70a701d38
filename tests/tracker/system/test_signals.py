"""Signals as exceptions, deferred within :func:`uninterrupted`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.cli import default_handlers
from tracker.system.signals import install, interruption_pending, uninterrupted

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture
def fresh_process() -> Iterator[None]:
    """The signal handlers of a fresh Python process, even where this one ignores signals."""
    with default_handlers():
        yield


@pytest.fixture
def installed() -> None:
    install()


def kill(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.usefixtures("fresh_process", "installed")
def test_a_signal_raises_at_once_outside_a_block() -> None:
    with pytest.raises(KeyboardInterrupt):
        kill(signal.SIGINT)
    for number in (signal.SIGTERM, signal.SIGHUP):
        with pytest.raises(SystemExit) as ended:
            kill(number)
        assert ended.value.code == 128 + number


@pytest.mark.usefixtures("fresh_process", "installed")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_deferred_to_the_end_of_the_outermost_block(number: signal.Signals) -> None:
    steps = []
    with pytest.raises((KeyboardInterrupt, SystemExit)), uninterrupted():
        with uninterrupted():
            kill(number)
            steps.append("inner")
        assert interruption_pending()
        steps.append("outer")
    assert steps == ["inner", "outer"]
    assert not interruption_pending()
    with uninterrupted():
        steps.append("nothing pending")
    assert len(steps) == 3


@pytest.mark.usefixtures("fresh_process", "installed")
def test_an_error_inside_the_block_still_delivers_the_signal() -> None:
    with pytest.raises(KeyboardInterrupt) as caught, uninterrupted():
        kill(signal.SIGINT)
        raise OSError("disk full")
    assert isinstance(caught.value.__context__, OSError)


@pytest.mark.usefixtures("fresh_process")
def test_without_install_nothing_is_deferred() -> None:
    steps = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        kill(signal.SIGINT)
        steps.append("not reached")
    assert steps == []


@pytest.mark.usefixtures("fresh_process")
def test_a_signal_that_nohup_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    install()
    kill(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
