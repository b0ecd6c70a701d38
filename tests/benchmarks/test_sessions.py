"""Thread pools of inference sessions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("torch")

import typer
from typer.testing import CliRunner

from benchmarks import sessions
from benchmarks.sessions import Cost, PoolConfig, measure
from tracker.errors import WeightsError

app = typer.Typer()
app.command()(sessions.main)


@pytest.mark.slow
def test_each_configuration_is_timed_in_a_process_of_its_own() -> None:
    configs = [PoolConfig(1, spinning=False, shared=False), PoolConfig(1, spinning=True, shared=True)]
    first, second = measure(configs, "resnet18", rounds=1, frames=6)
    assert (first.threads, first.spinning, first.shared) == (1, False, False)
    assert (second.threads, second.spinning, second.shared) == (1, True, True)
    for cost in (first, second):
        assert min(cost.busy_ms, cost.paced_ms, cost.paced_cpu_ms) > 0


def test_an_unknown_model_is_refused_before_a_process_starts() -> None:
    result = CliRunner().invoke(app, ["--model", "none"])
    assert isinstance(result.exception, WeightsError)


def test_the_command_times_all_configurations_and_writes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def timed(configs: Sequence[PoolConfig], model: str, rounds: int) -> list[Cost]:
        assert (model, rounds) == ("resnet18", 2)
        return [Cost(one.threads, one.spinning, one.shared, 1.0, 2.0, 3.0) for one in configs]

    monkeypatch.setattr(sessions, "measure", timed)
    path = tmp_path / "s.json"
    result = CliRunner().invoke(app, ["--rounds", "2", "--json", str(path)])
    assert result.exit_code == 0, result.output
    costs = json.loads(path.read_text())["costs"]
    assert {(cost["spinning"], cost["shared"]) for cost in costs} == {(s, p) for s in (0, 1) for p in (0, 1)}
    assert {cost["threads"] for cost in costs} >= {1, 2}
