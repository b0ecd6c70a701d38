"""Signals as exceptions, deferred within :func:`uninterrupted`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.cli import default_handlers
from tracker.errors import BackendError, SinkError
from tracker.system.signals import (
    ignore_interrupts,
    install,
    interruption_in,
    interruption_pending,
    interrupts_ignored,
    raise_swallowed,
    swallowed_quietly,
    uninterrupted,
)

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


@pytest.mark.usefixtures("fresh_process", "installed")
@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_swallowed_signal_is_raised_again_until_something_ends(
    number: signal.Signals, kind: type[BaseException]
) -> None:
    raise_swallowed()  # nothing came
    with suppress(kind):
        kill(number)
    for _ in range(2):
        with pytest.raises(kind):
            raise_swallowed()
    install()
    raise_swallowed()


@pytest.mark.usefixtures("fresh_process", "installed")
def test_a_signal_that_a_destructor_swallows_is_raised_again_and_leaves_no_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Interrupted:
        def __del__(self) -> None:
            kill(signal.SIGINT)
            for _ in range(1000):  # the handler runs between two instructions
                pass

    with swallowed_quietly():
        Interrupted()
    assert capsys.readouterr().err == ""
    with pytest.raises(KeyboardInterrupt):
        raise_swallowed()


@pytest.mark.usefixtures("fresh_process", "installed")
def test_other_threads_and_other_handlers_are_not_told_of_a_swallowed_signal() -> None:
    with suppress(KeyboardInterrupt):
        kill(signal.SIGINT)
    told: list[BaseException] = []

    def check() -> None:
        try:
            raise_swallowed()
        except BaseException as error:  # noqa: BLE001 - that there is none is the test
            told.append(error)

    thread = threading.Thread(target=check)
    thread.start()
    thread.join()
    assert told == []
    signal.signal(signal.SIGINT, signal.default_int_handler)
    raise_swallowed()


@pytest.mark.usefixtures("fresh_process")
def test_ctrl_c_is_ignored_once_the_process_ends() -> None:
    ignore_interrupts()
    kill(signal.SIGINT)


def _raised(make: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as caught:
        make()
    return caught.value


def _import_turned(kind: type[Exception], states_cause: bool) -> None:
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt as error:
        if states_cause:
            raise kind("initialization failed") from error
        raise kind("initialization failed")  # noqa: B904 - the context alone is the case


@pytest.mark.parametrize(
    ("kind", "states_cause", "is_interruption"),
    [
        (ImportError, True, True),
        (ImportError, False, True),
        (BackendError, True, True),
        (SinkError, False, False),
        (OSError, False, False),
    ],
)
def test_an_interruption_is_found_behind_the_error_that_it_became(
    kind: type[Exception], states_cause: bool, is_interruption: bool
) -> None:
    """A disk that is full while files are closed because of Ctrl-C is an error of its own."""
    error = _raised(lambda: _import_turned(kind, states_cause))
    found = interruption_in(error)
    assert isinstance(found, KeyboardInterrupt) if is_interruption else found is None


def test_a_circle_of_causes_ends() -> None:
    first, second = ValueError("1"), ValueError("2")
    first.__cause__, second.__cause__ = second, first
    assert interruption_in(first) is None


@pytest.mark.usefixtures("fresh_process")
def test_interrupts_are_ignored_within_the_block_only() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts_ignored():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
