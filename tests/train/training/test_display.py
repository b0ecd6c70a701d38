"""Progress where there is no terminal, with a clock of the test's own."""

import math

import pytest

pytest.importorskip("torch")

from train.config import Stage, TrainConfig
from train.training.display import LINE_EVERY_S, Display, TimeLeft, duration
from train.training.log import EpochReport, Validation

CONFIG = TrainConfig("m", (Stage(32, 2, 1e-3), Stage(64, 3, 1e-3)))


class Clock:
    """Time that passes when told so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_follows_the_pixels_of_the_steps() -> None:
    """A step of the second stage counts four: 2 x 5 steps, then 3 x 2 x 4."""
    clock = Clock()
    left = TimeLeft(CONFIG, [5, 2], 0, clock)
    assert math.isnan(left.after(0, 0))
    clock.now += 2.0
    assert left.after(0, 2) == pytest.approx(32.0)
    clock.now += 8.0
    assert left.after(2, 0) == pytest.approx(24.0)
    clock.now += 4.0
    assert left.after(2, 1) == pytest.approx(20.0)
    clock.now += 20.0
    assert left.after(5, 0) == pytest.approx(0.0)


def test_a_resumed_run_counts_its_own_time_only() -> None:
    clock = Clock()
    left = TimeLeft(CONFIG, [5, 2], 3, clock)
    clock.now += 4.0
    assert left.after(3, 1) == pytest.approx(12.0)


def test_there_is_a_line_every_so_often_without_a_terminal() -> None:
    clock, lines = Clock(), list[str]()
    display = Display(TimeLeft(CONFIG, [5, 2], 0, clock), "% NME", lines.append)
    with display.reading(3) as on_read:
        on_read()
        clock.now += LINE_EVERY_S
        on_read()
        on_read()
    assert lines == ["read 2 of 3 images"]
    for epoch in range(5):
        display.begin(epoch, 5 if epoch < 2 else 2)
        display.step()
        clock.now += 1.0
        held_out = Validation(12.5, 0.5, 3.0)
        display.end(EpochReport(epoch + 1, 32, held_out, 1e-3, 4.0, {}, 100.0, epoch))
    assert [line.partition("  ")[0] for line in lines[1:]] == ["epoch 1 of 5", "epoch 5 of 5"]
    assert "loss 4.00  validation 3.00  error 12.50 % NME" in lines[1]
    assert lines[1].endswith(" left")
    assert not lines[2].endswith(" left")
    clock.now += LINE_EVERY_S
    display.begin(1, 5)
    display.step()
    assert lines[-1].startswith("epoch 2 of 5  step 1 of 5  ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (math.nan, "?"),
        (0.2, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3599.0, "1 h 00 min"),
        (9000.0, "2 h 30 min"),
    ],
)
def test_durations_are_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text
