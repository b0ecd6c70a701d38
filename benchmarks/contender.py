"""A tracker under comparison, in a process of its own that measures on request."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from tracker.errors import BenchError


@dataclass(frozen=True)
class RoundTimes:
    """Milliseconds of each frame of one round, and the number of frames with a face."""

    ms: list[float]
    found: int


class Contender:
    """Process of ``command`` with the protocol of :mod:`benchmarks.peer_loop`; a context manager.

    ``version`` is the name that it reports. Raises :class:`~tracker.errors.BenchError`, with the last line of
    its standard error, if it does not start, dies, breaks the protocol or does not answer in ``limit_s``
    seconds.
    """

    def __init__(self, name: str, command: Sequence[str], limit_s: float = 600) -> None:
        self.name = name
        self._limit_s = limit_s
        self._stderr = tempfile.TemporaryFile(mode="w+", errors="replace")  # noqa: SIM115 - closed with the process
        self._reader = ThreadPoolExecutor(1)
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr, text=True
            )
        except OSError as error:
            self._stderr.close()
            raise BenchError(f"{name} cannot be started: {command[0]}: {error.strerror}") from error
        try:
            self.version = str(self._answer("ready"))
        except BaseException:
            self.close()
            raise

    def round(self) -> RoundTimes:
        """Measure one pass over the frames."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write("round\n")
            self.process.stdin.flush()
        except OSError as error:
            raise self._failure("died") from error
        answer = self._answer()
        try:
            return RoundTimes([float(value) for value in answer["ms"]], int(answer["found"]))
        except (KeyError, TypeError, ValueError) as error:
            raise self._failure("talks nonsense") from error

    def close(self) -> None:
        """End the process; it is killed if it does not exit at the end of its input."""
        if self.process.stdin is not None:
            with suppress(OSError):  # the process has died
                self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.shutdown(wait=True)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, key: str | None = None) -> Any:
        assert self.process.stdout is not None
        try:
            line = self._reader.submit(self.process.stdout.readline).result(self._limit_s)
        except TimeoutError as error:
            self.process.kill()
            raise self._failure(f"gave no answer for {self._limit_s:.0f} s") from error
        if not line:
            raise self._failure("died")
        try:
            answer = json.loads(line)
            return answer if key is None else answer[key]
        except (ValueError, KeyError, TypeError) as error:
            raise self._failure("talks nonsense") from error

    def _failure(self, problem: str) -> BenchError:
        self._stderr.seek(0)
        lines = [line.strip() for line in self._stderr.read().splitlines() if line.strip()]
        last = f": {lines[-1]}" if lines else ""
        return BenchError(f"{self.name} {problem}{last}")
