"""Runs of one checkout for :mod:`benchmarks.same_results`, and the folder with their files and messages."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from benchmarks.same_results_cases import CASES, Case
from benchmarks.same_results_plan import Step
from tracker.errors import BenchError

_CASE_LIMIT_S = 120
# Of a terminal's and a user's settings, those that change what is printed or which code is run.
_UNSET = ("DISPLAY", "WAYLAND_DISPLAY", "FORCE_COLOR", "CLICOLOR_FORCE", "PYTHONHOME", "TERMINAL_WIDTH")
_SET = {"PYTHONUTF8": "1", "PYTHONSAFEPATH": "1", "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
# A package is hidden by an empty place among the modules, whichever module the command starts from.
_HIDE = """
import runpy, sys
sys.modules[sys.argv.pop(1)] = None
runpy.run_module("tracker", run_name="__main__", alter_sys=True)
"""
_UNLIKE = ("summary.csv", ".jsonl.json", ".mkv", ".webm")
"""Suffixes of files that differ between any two runs, since they hold seconds or a random id."""
_SECONDS_CELL = re.compile(rb" +\d+\.\d (?=\xe2\x94\x82$)", re.MULTILINE)
"""The last cell of the table that ``tracker batch`` prints."""


@dataclass(frozen=True)
class Side:
    """Checkout and the working folder of its commands, whose results go into ``out``."""

    checkout: Path
    work: Path

    @property
    def out(self) -> Path:
        """Folder with a subfolder for each of :data:`~benchmarks.same_results_plan.WHATS`."""
        return self.work / "out"

    def do(self, item: Step | Case, number: int) -> None:
        """Run ``item``, the ``number``-th, and store what is compared.

        Raises :class:`~tracker.errors.BenchError` if a step fails, since missing results on both sides would
        count as the same.
        """
        if isinstance(item, Case):
            self._case(item, number)
            return
        (self.out / item.what).mkdir(parents=True, exist_ok=True)
        code, said = self._run([sys.executable, "-m", "tracker", *shlex.split(item.line)], self.work)
        if code:
            last = said.decode(errors="replace").strip().rpartition("\n")[2]
            raise BenchError(f"{item.name} ended with code {code} in {self.checkout}: {last}")
        if item.tidy:
            item.tidy(self.out / item.what, self.normalised)
        (self.out / item.what / f"{item.name}.said").write_bytes(said)

    def check_origin(self) -> None:
        """Raise :class:`~tracker.errors.BenchError` unless Python takes ``tracker`` from the checkout."""
        command = [sys.executable, "-c", "import tracker; print(tracker.__file__)"]
        _, said = self._run(command, self.work)
        if f"<checkout>{os.sep}tracker{os.sep}".encode() not in said:
            raise BenchError(f"Python does not take tracker from {self.checkout}: give a checkout of it")

    def _case(self, case: Case, number: int) -> None:
        folder, inputs = self.work / "case", self.work / "inputs"
        shutil.copytree(inputs, folder)
        start = ["-c", _HIDE, case.hidden] if case.hidden else ["-m", "tracker"]
        _, said = self._run([sys.executable, *start, *case.arguments], folder, case.full)
        left = "".join(self._changes(inputs, folder))
        shutil.rmtree(folder)
        (self.out / "commands").mkdir(parents=True, exist_ok=True)
        text = f"$ {case}\n".encode() + said + b"-- files\n" + left.encode()
        (self.out / "commands" / _case_name(case, number)).write_bytes(text)

    def _run(self, command: list[str], folder: Path, full: bool = False) -> tuple[int, bytes]:
        """Return the exit code, and a report of it with standard output and standard error."""
        env = {**{k: v for k, v in os.environ.items() if k not in _UNSET}, **_SET}
        env["PYTHONPATH"] = str(self.checkout)
        with Path("/dev/full" if full else os.devnull).open("wb") as full_output:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=full_output if full else subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        try:
            stdout, stderr = process.communicate(timeout=_CASE_LIMIT_S if folder != self.work else None)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{' '.join(command[1:])} did not end in {_CASE_LIMIT_S} s") from None
        finally:
            process.kill()
            process.wait()
        said = b"exit %d\n-- stdout\n%b-- stderr\n%b" % (process.returncode, stdout or b"", stderr)
        return process.returncode, self.normalised(said)

    def _changes(self, before: Path, after: Path) -> Iterator[str]:
        """Yield a line for each file that was added, removed or changed, with the hash of its content."""
        for name in sorted({path.relative_to(root) for root in (before, after) for path in root.rglob("*")}):
            was, now = self._hash(before / name), self._hash(after / name)
            if was != now:
                yield f"{name.as_posix()}: {now}\n"

    def _hash(self, path: Path) -> str:
        if not path.exists():
            return "not there"
        if path.is_dir():
            return "a folder"
        if path.name.endswith(_UNLIKE):
            return "there"
        return sha256(self.normalised(path.read_bytes())).hexdigest()

    def normalised(self, text: bytes) -> bytes:
        """Return ``text`` without the paths of checkout and working folder, and the seconds in a table."""
        names = {str(self.work).encode(): b"<work>", str(self.checkout).encode(): b"<checkout>"}
        for path in sorted(names, key=len, reverse=True):  # one may lie in the other
            text = text.replace(path, names[path])
        return _SECONDS_CELL.sub(b" <seconds> ", text)


def _case_name(case: Case, number: int) -> str:
    return f"{number:03d} {re.sub(r'[^a-zA-Z0-9_.=-]+', '_', str(case))[:80]}.txt"


def unexpected(out: Path) -> list[str]:
    """Return the command lines that did not end with their expected exit code."""
    found = []
    for number, case in enumerate(CASES):
        text = (out / "commands" / _case_name(case, number)).read_bytes()
        if f"\nexit {case.code}\n".encode() not in text:
            found.append(str(case))
    return found
