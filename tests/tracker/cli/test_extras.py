"""Outputs that need an extra: the missing package is told before a missing camera or screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli import assert_one_line_error, run_cli
from tracker.cli.extras import PACKAGES

VALUES = {"osc": "127.0.0.1:9000", "parquet": "o.parquet", "virtual-camera": "auto"}


@pytest.mark.parametrize("extra", PACKAGES)
@pytest.mark.parametrize("source", [(), ("gone.mp4", "--no-window"), ("--camera", "9")])
def test_the_missing_package_is_told_first(tmp_path: Path, extra: str, source: tuple[str, ...]) -> None:
    package, shown = PACKAGES[extra]
    done = run_cli(*source, f"--{extra}", VALUES[extra], cwd=tmp_path, without=[package])
    assert_one_line_error(done, f"--{extra} needs {shown}, which is not installed: pip install ")
    assert not list(tmp_path.iterdir())


def test_without_such_an_output_no_package_is_missed(tmp_path: Path) -> None:
    packages = [package for package, _ in PACKAGES.values()]
    done = run_cli("gone.mp4", "--no-window", "--json", "o", cwd=tmp_path, without=packages)
    assert_one_line_error(done, "gone.mp4")
