"""Latency of U-Nets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

import typer
from typer.testing import CliRunner

from benchmarks import frontier
from train.errors import RunError

app = typer.Typer()
app.command()(frontier.main)


@pytest.fixture
def one_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, values in (("FEATURES", (8,)), ("SIZES", (112,)), ("STRIDES", (4,))):
        monkeypatch.setattr(frontier, name, values)


@pytest.mark.usefixtures("one_network")
@pytest.mark.slow
def test_the_grid_and_the_shipped_models_are_timed_and_drawn(tmp_path: Path) -> None:
    table, plot = tmp_path / "f.json", tmp_path / "f.png"
    result = CliRunner().invoke(app, ["--rounds", "1", "--json", str(table), "--plot", str(plot)])
    assert result.exit_code == 0, result.output
    report = json.loads(table.read_text())
    costs = {(cost["name"], cost["precision"]): cost for cost in report["costs"]}
    plain, small = (costs["8 features, 112 px, 1/4", precision] for precision in ("fp32", "int8"))
    assert plain["megabytes"] > 2 * small["megabytes"]
    assert min(plain["median_ms"], small["median_ms"]) > 0
    assert costs["resnet18", "fp32"]["nme_percent"] > 0
    assert report["threads"] == 2
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontier, "measure", None)
    result = CliRunner().invoke(app, ["--json", str(tmp_path / "no" / "f.json")])
    assert isinstance(result.exception, RunError)
