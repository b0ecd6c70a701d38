"""Signals wait for the end of a write, and only there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tracker.system.signals import install, uninterrupted


@pytest.fixture
def installed() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    for number in numbers:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    install()
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def kill(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.usefixtures("installed")
def test_a_signal_is_an_exception_at_once() -> None:
    with pytest.raises(KeyboardInterrupt):
        kill(signal.SIGINT)
    for number in (signal.SIGTERM, signal.SIGHUP):
        with pytest.raises(SystemExit) as ended:
            kill(number)
        assert ended.value.code == 128 + number


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_waits_for_the_outermost_block(number: signal.Signals) -> None:
    steps = []
    with pytest.raises((KeyboardInterrupt, SystemExit)), uninterrupted():
        with uninterrupted():
            kill(number)
            steps.append("inner")
        steps.append("outer")
    assert steps == ["inner", "outer"]
    with uninterrupted():
        steps.append("nothing waits any more")
    assert len(steps) == 3


@pytest.mark.usefixtures("installed")
def test_an_error_inside_lets_the_signal_through() -> None:
    with pytest.raises(KeyboardInterrupt) as caught, uninterrupted():
        kill(signal.SIGINT)
        raise OSError("disk full")
    assert isinstance(caught.value.__context__, OSError)


def test_without_install_nothing_is_held() -> None:
    steps = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        kill(signal.SIGINT)
        steps.append("not reached")
    assert steps == []


def test_what_nohup_ignores_stays_ignored() -> None:
    code = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
        "from tracker.system.signals import install; install();"
        "os.kill(os.getpid(), signal.SIGHUP); print('still here')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "still here\n", done.stderr
