"""Skipped tests against a committed list: in CI, a skip that the list does not name is a failure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

ALLOWED_SKIPS = Path(__file__).resolve().parents[1] / ".ci" / "allowed_skips.txt"


@dataclass(frozen=True)
class Allowed:
    """A line of the list: beginnings of the node id and of the skip's reason, and why that may skip in CI."""

    node_id: str
    reason: str
    why: str

    def covers(self, node_id: str, reason: str) -> bool:
        """Return whether this line allows the test ``node_id`` to skip for ``reason``."""
        return node_id.startswith(self.node_id) and reason.startswith(self.reason)


def read_allowed(path: Path) -> list[Allowed]:
    """Read lines ``node id | reason | why``; blank lines and those that begin with ``#`` are comments.

    Raises ``ValueError`` for a line without all three parts.
    """
    allowed = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"{path}:{number}: expected 'node id | reason | why', got {line!r}")
        allowed.append(Allowed(*parts))
    return allowed


def unlisted(skips: Iterable[tuple[str, str]], allowed: Iterable[Allowed]) -> list[tuple[str, str]]:
    """Return the ``(node id, reason)`` of ``skips`` that no line of ``allowed`` covers."""
    lines = list(allowed)
    return sorted({skip for skip in skips if not any(line.covers(*skip) for line in lines)})


class SkipsInCi:
    """The pytest plugin that fails a session for unlisted skips."""

    def __init__(self) -> None:
        self._unlisted: list[tuple[str, str]] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if not isinstance(reporter, TerminalReporter):
            return
        skips = [(report.nodeid, _reason(report)) for report in reporter.stats.get("skipped", [])]
        self._unlisted = unlisted(skips, read_allowed(ALLOWED_SKIPS))
        if self._unlisted and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        if self._unlisted:
            terminalreporter.section(f"skipped in CI without being in {ALLOWED_SKIPS.name}")
            for node_id, reason in self._unlisted:
                terminalreporter.line(f"{node_id}: {reason}", red=True)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    if not isinstance(report.longrepr, tuple):
        return str(report.longrepr)
    return str(report.longrepr[2]).removeprefix("Skipped: ")
