from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tracker.sources.damage import DamageLog, merge, with_tail
from tracker.types import Damage, Frame


@pytest.mark.parametrize(
    ("damages", "expected"),
    [
        ([Damage(lost_after=5)], "a.mp4 ends after 10 of 15 frames: damaged or truncated"),
        ([Damage(lost_after=None)], "a.mp4 ends after 10 frames: damaged or truncated"),
        (
            [Damage(byte=7)],
            "a.mp4 is damaged near frame 0 (0.000 s, byte 7), but none of its 10 frames seems to be lost",
        ),
        (
            [Damage(2, guessed=True, byte=7), Damage(lost_after=1)],
            "a.mp4 is damaged: 3 frames lost, 1 guessed at in part, first at frame 0 (0.000 s, byte 7); "
            "10 frames were tracked",
        ),
        (
            [Damage(2), Damage(lost_after=None)],
            "a.mp4 is damaged: at least 2 frames lost, first at frame 0 (0.000 s); 10 frames were tracked",
        ),
        (
            [Damage(time_mended=True, lost_after=None)],
            "a.mp4 is damaged: frames lost at its end, 1 with impossible times, first at frame 0 (0.000 s); "
            "10 frames were tracked",
        ),
    ],
)
def test_the_summary_counts_missing_and_damaged_frames(damages: list[Damage], expected: str) -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    log = DamageLog()
    for index, damage in enumerate(damages):
        log.add(Frame(image, index, float(index), damage=damage))
    log.add(Frame(image, 9, 9.0))
    assert log.places == len(damages)
    assert log.summary(Path("a.mp4"), 10) == expected


def test_merging_adds_the_missing_frames_and_keeps_the_first_place() -> None:
    assert merge(None, None) is None
    assert merge(Damage(1), None) == merge(None, Damage(1)) == Damage(1)
    assert merge(Damage(1, byte=3), Damage(2, 4, guessed=True, byte=9)) == Damage(3, 4, guessed=True, byte=3)
    assert merge(Damage(1), Damage(time_mended=True, byte=9)) == Damage(1, time_mended=True, byte=9)


def test_damage_of_frames_skipped_at_the_end_counts_as_missing_after_the_last() -> None:
    assert with_tail(None, None) is None
    assert with_tail(Damage(1), None) == Damage(1)
    assert with_tail(Damage(1), Damage(2, 3, byte=9)) == Damage(1, 5, byte=9)
    assert with_tail(None, Damage(2, None)) == Damage(0, None)
