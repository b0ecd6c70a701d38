"""``tracker bench``: parsing."""

from __future__ import annotations

import pytest

from tests.cli import run_cli
from tracker.reports.bench import run as bench
from tracker.reports.bench.records import BenchGrid


@pytest.mark.parametrize("size", ["640", "640x", "0x0", "640x480x3", "-640x480", "6400000x480"])
def test_an_invalid_size_is_wrong_usage(size: str) -> None:
    done = run_cli("bench", "--size", size)
    assert done.exit_code == 2
    assert "1280x720" in done.stderr


def test_repeated_options_are_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[BenchGrid] = []
    monkeypatch.setattr(bench, "run_bench", lambda grid, *_: asked.append(grid))
    assert run_cli("bench").exit_code == 0
    assert run_cli("bench", "--faces", 1, "--faces", 5, "--size", "320x240", "--under-load").exit_code == 0
    assert asked == [BenchGrid(), BenchGrid(faces=(1, 5), sizes=((320, 240),), under_load=True)]
