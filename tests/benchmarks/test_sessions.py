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
from benchmarks.sessions import IDLE, Cost, PoolConfig, busy_core, measure, session_options
from tracker.errors import WeightsError
from tracker.inference.sessions import IDLE_THREADS

app = typer.Typer()
app.command()(sessions.main)


@pytest.mark.slow
def test_each_configuration_is_timed_in_a_process_of_its_own() -> None:
    configs = [PoolConfig(1, "shipped", shared=False), PoolConfig(1, "spin", shared=True)]
    first, second = measure(configs, "unet-light", rounds=1, frames=6)
    assert (first.threads, first.idle, first.shared) == (1, "shipped", False)
    assert (second.threads, second.idle, second.shared) == (1, "spin", True)
    for cost in (first, second):
        assert min(cost.busy_ms, cost.contended_ms, cost.paced_ms, cost.paced_cpu_ms) > 0


@pytest.mark.parametrize("idle", IDLE)
def test_each_way_sets_its_options(idle: str) -> None:
    options = session_options(PoolConfig(2, idle, shared=False))
    assert options.intra_op_num_threads == 2
    for key, value in IDLE[idle].items():
        assert options.get_session_config_entry(key) == value
    assert IDLE["shipped"] is IDLE_THREADS


@pytest.mark.parametrize(("idle", "shared"), [("doze", False), ("sleep", True), ("shipped", True)])
def test_a_way_that_is_unknown_or_has_no_effect_is_refused(idle: str, shared: bool) -> None:
    with pytest.raises(ValueError, match="idle must be one of spin, sleep, shipped"):
        PoolConfig(2, idle, shared)


def test_a_core_is_busy_only_in_the_block() -> None:
    with busy_core() as process:
        assert process.poll() is None
    assert process.poll() is not None


def test_the_busy_process_ends_with_its_input() -> None:
    """As it does when the benchmark is killed."""
    with busy_core() as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=60) == 0


def test_an_unknown_model_is_refused_before_a_process_starts() -> None:
    result = CliRunner().invoke(app, ["--model", "none"])
    assert isinstance(result.exception, WeightsError)


def test_the_command_times_all_configurations_and_writes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def timed(configs: Sequence[PoolConfig], model: str, rounds: int) -> list[Cost]:
        assert (model, rounds) == ("resnet18", 2)
        return [Cost(one.threads, one.idle, one.shared, 1.0, 4.0, 2.0, 3.0) for one in configs]

    monkeypatch.setattr(sessions, "measure", timed)
    path = tmp_path / "s.json"
    result = CliRunner().invoke(app, ["--rounds", "2", "--json", str(path)])
    assert result.exit_code == 0, result.output
    costs = json.loads(path.read_text())["costs"]
    assert {cost["contended_ms"] for cost in costs} == {4.0}
    assert {(cost["idle"], cost["shared"]) for cost in costs} == {
        ("spin", False),
        ("sleep", False),
        ("shipped", False),
        ("spin", True),
    }
    assert {cost["threads"] for cost in costs} >= {1, 2}
