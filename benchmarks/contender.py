"""A tracker in a process of its own that is asked for rounds."""

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
    """Milliseconds of each frame of one round, and in how many a face was found."""

    ms: list[float]
    found: int


class Contender:
    """Starts ``command``, which speaks as :mod:`benchmarks.peer_loop` does; a context manager.

    ``version`` is what it calls itself. Raises :class:`~tracker.errors.BenchError`, with its last words, if
    it does not start, dies, talks nonsense or takes longer than ``limit_s`` seconds for an answer.
    """

    def __init__(self, name: str, command: Sequence[str], limit_s: float = 600) -> None:
        self.name = name
        self._limit_s = limit_s
        self._words = tempfile.TemporaryFile(mode="w+", errors="replace")  # noqa: SIM115 - closed with the process
        self._reader = ThreadPoolExecutor(1)
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._words, text=True
            )
        except OSError as error:
            self._words.close()
            raise BenchError(f"{name} cannot be started: {command[0]}: {error.strerror}") from error
        try:
            self.version = str(self._answer("ready"))
        except BaseException:
            self.close()
            raise

    def round(self) -> RoundTimes:
        """One pass over the frames."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("round\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._failure("died") from error
        answer = self._answer()
        try:
            return RoundTimes([float(value) for value in answer["ms"]], int(answer["found"]))
        except (KeyError, TypeError, ValueError) as error:
            raise self._failure("talks nonsense") from error

    def close(self) -> None:
        """End the process, by force if it does not end itself at the end of its input."""
        if self._process.stdin is not None:
            with suppress(OSError):  # it is dead already, and what was left to say with it
                self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.shutdown(wait=True)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._words.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, key: str | None = None) -> Any:
        assert self._process.stdout is not None
        try:
            line = self._reader.submit(self._process.stdout.readline).result(self._limit_s)
        except TimeoutError as error:
            self._process.kill()
            raise self._failure(f"gave no answer for {self._limit_s:.0f} s") from error
        if not line:
            raise self._failure("died")
        try:
            answer = json.loads(line)
            return answer if key is None else answer[key]
        except (ValueError, KeyError, TypeError) as error:
            raise self._failure("talks nonsense") from error

    def _failure(self, what: str) -> BenchError:
        self._words.seek(0)
        lines = [line.strip() for line in self._words.read().splitlines() if line.strip()]
        last = f": {lines[-1]}" if lines else ""
        return BenchError(f"{self.name} {what}{last}")
