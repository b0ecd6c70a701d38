import math
from typing import Any

import pytest

pytest.importorskip("torch")

import itertools

from train.config import Stage, TrainConfig, learning_rate
from train.configs.resnet18 import CONFIG
from train.errors import RunError


@pytest.mark.parametrize("values", [(31, 1, 1e-3), (32, 0, 1e-3), (32, 1, 0.0), (32, 1, -1.0)])
def test_impossible_stages_are_refused(values: tuple[int, int, float]) -> None:
    with pytest.raises(RunError, match="a stage needs"):
        Stage(*values)


@pytest.mark.parametrize(
    "wrong",
    [
        {"stages": ()},
        {"batch_size": 0},
        {"weight_decay": -0.1},
        {"clip_norm": 0.0},
        {"warmup": 1.0},
        {"ema_decay": 1.0},
        {"precision": "fp16"},
        {"optimizer": "adam"},
        {"schedule": "step"},
        {"momentum": 1.0},
        {"loss": 3},
        {"repeats": {"profiles": 0}},
    ],
)
def test_impossible_runs_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RunError):
        TrainConfig(**{"model": "tiny", "stages": (Stage(64, 2, 1e-3),), **wrong})


def test_each_epoch_has_its_stage() -> None:
    first, second = Stage(64, 2, 1e-3), Stage(128, 3, 1e-4)
    config = TrainConfig("tiny", (first, second))
    assert config.epochs == 5
    expected = [(first, 0), (first, 1), (second, 0), (second, 1), (second, 2)]
    assert [config.stage_at(epoch) for epoch in range(5)] == expected
    with pytest.raises(ValueError, match="past"):
        config.stage_at(5)


def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero() -> None:
    rate = [learning_rate(progress / 1000, 2.0, 0.25) for progress in range(1001)]
    assert (rate[0], rate[125], rate[250], rate[625]) == pytest.approx((0, 1, 2, 1))
    assert rate[1000] == pytest.approx(0, abs=1e-12)
    assert rate[:251] == sorted(rate[:251])
    assert rate[250:] == sorted(rate[250:], reverse=True)
    # The steepest slope is that of the warm-up, 8 a unit: no jump anywhere.
    assert max(abs(a - b) for a, b in itertools.pairwise(rate)) <= 8 / 1000 + 1e-9


@pytest.mark.parametrize(("schedule", "middle", "end"), [("linear", 1.5, 0.0), ("constant", 3.0, 3.0)])
def test_other_schedules_warm_up_the_same(schedule: str, middle: float, end: float) -> None:
    assert learning_rate(0.1, 3.0, 0.2, schedule) == pytest.approx(1.5)
    assert learning_rate(0.6, 3.0, 0.2, schedule) == pytest.approx(middle)
    assert learning_rate(1.0, 3.0, 0.2, schedule) == pytest.approx(end)


def test_no_warm_up_starts_at_the_peak() -> None:
    assert learning_rate(0.0, 3.0, 0.0) == pytest.approx(3.0)


def test_the_shipped_recipe_matches_its_card() -> None:
    """The weights are published with these numbers, so the card changes with the recipe."""
    assert CONFIG.stages == (Stage(128, 180, 2e-3),)
    assert (CONFIG.batch_size, CONFIG.seed, CONFIG.ema_decay) == (64, 0, 0.998)
    assert CONFIG.weight_decay == 0.05
    assert math.isclose(CONFIG.recipe.background, 0.125)
