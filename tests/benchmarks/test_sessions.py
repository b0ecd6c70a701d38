import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

import typer
from typer.testing import CliRunner

from benchmarks import sessions
from benchmarks.sessions import Cost, Way, measure
from tracker.errors import WeightsError

app = typer.Typer()
app.command()(sessions.main)


def test_every_way_is_timed_in_a_process_of_its_own() -> None:
    ways = [Way(1, spinning=False, shared=False), Way(1, spinning=True, shared=True)]
    first, second = measure(ways, "resnet18", rounds=1, frames=6)
    assert (first.threads, first.spinning, first.shared) == (1, False, False)
    assert (second.threads, second.spinning, second.shared) == (1, True, True)
    for cost in (first, second):
        assert min(cost.busy_ms, cost.paced_ms, cost.paced_cpu_ms) > 0


def test_a_model_that_is_not_there_is_refused_before_a_process_starts() -> None:
    result = CliRunner().invoke(app, ["--model", "none"])
    assert isinstance(result.exception, WeightsError)


def test_the_command_times_all_ways_and_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(ways, model, rounds):
        assert (model, rounds) == ("resnet18", 2)
        return [Cost(way.threads, way.spinning, way.shared, 1.0, 2.0, 3.0) for way in ways]

    monkeypatch.setattr(sessions, "measure", timed)
    path = tmp_path / "s.json"
    result = CliRunner().invoke(app, ["--rounds", "2", "--json", str(path)])
    assert result.exit_code == 0, result.output
    costs = json.loads(path.read_text())["costs"]
    assert {(cost["spinning"], cost["shared"]) for cost in costs} == {(s, p) for s in (0, 1) for p in (0, 1)}
    assert {cost["threads"] for cost in costs} >= {1, 2}
