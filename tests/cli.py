"""The command line under test: in this process where that shows the same, else as a real process."""

from __future__ import annotations

import gc
import importlib
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import cv2
import pytest

REPO = Path(__file__).resolve().parents[1]
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)
)

_screens = itertools.count()


@dataclass(frozen=True)
class CliResult:
    """Exit code and output of a command that has ended."""

    exit_code: int
    stdout: str
    stderr: str


def assert_one_line_error(done: CliResult, *words: str, program: str = "tracker") -> None:
    """Assert exit code 1 and exactly one line on standard error, which holds all ``words``."""
    assert done.exit_code == 1, done.stderr
    assert done.stderr.startswith(f"{program}: "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


def clean_environment(**changes: str) -> dict[str, str]:
    """Return the environment for a child: no display, this checkout first, then ``changes``."""
    environment = {key: value for key, value in os.environ.items() if key not in DISPLAYS}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(REPO), os.environ.get("PYTHONPATH"))))
    return {**environment, **changes}


def run_cli(
    *args: object,
    cwd: Path | None = None,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
) -> CliResult:
    """Run ``tracker ARGS`` in this process and return what it printed and its exit code.

    ``cwd`` is the repository unless given; ``env`` is added to the environment; the packages ``without``
    cannot be imported. Working folder, environment, standard streams and signal handlers are restored.
    An exception that the command does not handle is raised here.
    """
    with _hidden(without) if without else nullcontext():
        main = importlib.import_module("tracker.cli.main").main
        return run_main(main, *args, package="tracker", cwd=cwd, stdin=stdin, env=env)


def run_main(
    main: Callable[[], object],
    *args: object,
    package: str,
    cwd: Path | None = None,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
) -> CliResult:
    """Run ``main`` in this process as ``python -m PACKAGE ARGS`` would; see :func:`run_cli`."""
    with ExitStack() as stack:
        stack.enter_context(_restored_process_state())
        stack.enter_context(chdir(cwd or REPO))
        stack.enter_context(_program(package, [os.fsdecode(_argument(arg)) for arg in args]))
        for name in DISPLAYS:
            os.environ.pop(name, None)
        os.environ.update(env or {})
        stack.enter_context(default_handlers())
        output = stack.enter_context(_Redirected(stdin or ""))
        try:
            main()
            code = 0
        except SystemExit as end:
            code = _exit_code(end)
    return CliResult(code, output.stdout, output.stderr)


@contextmanager
def start_cli(
    *args: object,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdout: int | IO[str] | None = subprocess.PIPE,
    stderr: int | IO[str] | None = subprocess.PIPE,
) -> Iterator[subprocess.Popen[str]]:
    """Start ``tracker ARGS`` as a process; whatever is left of its group is killed at the end."""
    command = [sys.executable, "-m", "tracker", *map(_argument, args)]
    with start_process(command, cwd=cwd, env=env, stdout=stdout, stderr=stderr) as process:
        yield process


@contextmanager
def start_process(
    command: Sequence[str | bytes | Path],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdout: int | IO[str] | None = subprocess.PIPE,
    stderr: int | IO[str] | None = subprocess.PIPE,
) -> Iterator[subprocess.Popen[str]]:
    """Start ``command`` in a process group of its own, which is killed when the block ends.

    It has no display and begins with default signal handlers even where this process ignores Ctrl-C, as
    one that ``nohup`` started in the background does.
    """
    with default_signals():
        process = subprocess.Popen(
            list(command),
            cwd=cwd or REPO,
            env=clean_environment(**(env or {})),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _kill_group(process)
        for stream in filter(None, (process.stdout, process.stderr)):
            stream.close()
        process.wait()


def run_process(
    command: Sequence[str | bytes | Path],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 300.0,
) -> CliResult:
    """Run ``command`` as a process to its end, at most ``timeout_s`` seconds."""
    with start_process(command, cwd, env) as process:
        stdout, stderr = process.communicate(timeout=timeout_s)
    return CliResult(process.returncode, stdout, stderr)


def run_code(code: str, *args: object, cwd: Path | None = None) -> CliResult:
    """Run Python ``code`` in a fresh interpreter, for what loading modules alone shows."""
    return run_process([sys.executable, "-c", code, *map(_argument, args)], cwd)


def on_virtual_screen(command: Sequence[str], *options: str) -> list[str]:
    """Return ``command`` as xvfb-run with ``options`` starts it, with DISPLAY set.

    The search for a free display begins at a number of this process's and call's own: two searches at once,
    as by the workers of pytest-xdist, would find the same one, and a server that is just ending removes the
    socket of its successor. The server does not reset when its last client leaves, as it does by default: the
    product looks whether a display answers before it opens its window, and would find it gone.
    """
    first = 1000 + (16 * os.getpid() + next(_screens)) % 30_000
    server = "-screen 0 1280x1024x24 -nolisten tcp -noreset"
    return ["xvfb-run", "-a", "-n", str(first), "-s", server, *options, *command]


def wait_until(
    condition: Callable[[], bool], process: subprocess.Popen[str] | None = None, timeout_s: float = 120.0
) -> None:
    """Wait until ``condition()`` holds; fail when ``process`` ends before, or after ``timeout_s`` seconds."""
    end = time.monotonic() + timeout_s
    while not condition():
        if process is not None and process.poll() is not None:
            said = process.stderr.read() if process.stderr else ""
            pytest.fail(f"the process ended too early with exit code {process.returncode}: {said}")
        if time.monotonic() > end:
            pytest.fail(f"nothing happened within {timeout_s:g} seconds")
        time.sleep(0.01)


def line_count(path: Path) -> int:
    """Return how many complete lines ``path`` holds; 0 where it does not exist."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@contextmanager
def default_signals() -> Iterator[None]:
    """Give signals that this process ignores their default action, so that a child inherits that."""
    ignored = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


class _Redirected:
    """Descriptors 0 to 2 and Python's standard streams, redirected to files while the block runs.

    Descriptors, not only ``sys.stdout``: the command duplicates descriptor 1, native libraries write to it.
    """

    def __init__(self, stdin: str) -> None:
        self.stdout = self.stderr = ""
        self._files = [tempfile.TemporaryFile() for _ in range(3)]  # noqa: SIM115 - closed on exit
        self._files[0].write(stdin.encode())
        self._files[0].seek(0)
        self._saved: list[int] = []
        self._streams = (sys.stdin, sys.stdout, sys.stderr)

    def __enter__(self) -> _Redirected:
        sys.stdout.flush()
        sys.stderr.flush()
        self._saved = [os.dup(number) for number in range(3)]
        for number, file in enumerate(self._files):
            os.dup2(file.fileno(), number)
        sys.stdin = open(0, encoding="utf-8", closefd=False)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            stream.close()
        sys.stdin, sys.stdout, sys.stderr = self._streams
        for number, saved in enumerate(self._saved):
            os.dup2(saved, number)
            os.close(saved)
        texts = []
        for file in self._files:
            file.seek(0)
            texts.append(file.read().decode("utf-8", errors="backslashreplace"))
            file.close()
        self.stdout, self.stderr = texts[1:]


@contextmanager
def _restored_process_state() -> Iterator[None]:
    """Restore environment, logging handlers and OpenCV's threads.

    pytest's handlers on the root logger go meanwhile: with none, warnings reach standard error.
    """
    environment, handlers = dict(os.environ), logging.root.handlers[:]
    threads = cv2.getNumThreads()
    logging.root.handlers[:] = []
    try:
        yield
    finally:
        logging.root.handlers[:] = handlers
        os.environ.clear()
        os.environ.update(environment)
        cv2.setNumThreads(threads)


@contextmanager
def _hidden(packages: Sequence[str]) -> Iterator[None]:
    """Import the tracker afresh where ``packages`` are not installed; then everything is as before."""
    renewed = ("tracker", *packages)
    before = {name: module for name, module in sys.modules.items() if _package(name) in renewed}
    for name in before:
        del sys.modules[name]
    sys.modules.update(dict.fromkeys(packages))  # type: ignore[arg-type]  # None: the import system's "absent"
    try:
        yield
    finally:
        for name in [name for name in sys.modules if _package(name) in renewed]:
            del sys.modules[name]
        sys.modules.update(before)
        gc.collect()  # native resources of the replaced modules are freed now, not amid a later test


def _package(module: str) -> str:
    return module.partition(".")[0]


@contextmanager
def _program(package: str, args: list[str]) -> Iterator[None]:
    """Let ``sys.argv`` and the main module be those of ``python -m PACKAGE``; usage texts name it."""
    main = ModuleType("__main__")
    main.__package__ = package
    real = sys.modules["__main__"], sys.argv
    sys.modules["__main__"] = main
    sys.argv = [str(REPO / package / "__main__.py"), *args]
    try:
        yield
    finally:
        sys.modules["__main__"], sys.argv = real


@contextmanager
def default_handlers() -> Iterator[None]:
    """Begin with a fresh process's signal handlers and put back those of now."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _argument(value: object) -> str | bytes:
    return value if isinstance(value, bytes) else str(value)


def _exit_code(end: SystemExit) -> int:
    if isinstance(end.code, str):
        print(end.code, file=sys.stderr)  # noqa: T201 - as the interpreter does
        return 1
    return end.code or 0


def _kill_group(process: subprocess.Popen[str]) -> None:
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
