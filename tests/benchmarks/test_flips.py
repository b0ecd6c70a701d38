"""Some dozens of flipped bits; ``python -m benchmarks.flips`` tries thousands."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from benchmarks.flips import BAD, Clip, Picture, Reader, Reading, classify, flip, make_clips

PICTURES = (Picture(0.0, 11), Picture(0.04, 22), Picture(0.08, 33))
CLIP = Clip("clip.mp4", bytes(300), PICTURES, (100, 200, 300))


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with closing(Reader(30.0)) as reader:
        yield reader


@pytest.mark.slow
def test_single_flipped_bits_do_no_harm(tmp_path: Path, reader: Reader) -> None:
    draw = np.random.default_rng(7)
    for clip in make_clips(tmp_path):
        assert len(clip.pictures) == 24
        for _ in range(10):
            done = flip(clip, int(draw.integers(len(clip.data))), int(draw.integers(8)), tmp_path, reader)
            assert done.outcome not in BAD, done


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_reader_that_hangs_or_crashes_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "gone.mp4"
    with closing(Reader(0.001)) as reader:
        assert reader.process.pid
        os.kill(reader.process.pid, signal.SIGSTOP)  # it cannot answer, however late this process is
        assert reader.read(path) == "hung"
        reader.process.kill()
        reader.process.join()
        assert reader.read(path) == "crashed"


@pytest.mark.parametrize(
    ("pictures", "message", "is_known", "expected"),
    [
        (PICTURES, "", True, "whole"),
        (PICTURES[:2], "it is damaged", True, "reported"),
        (PICTURES[1:], "it is damaged", True, "lost"),
        ((), "it is damaged", True, "lost"),
        (PICTURES, "KeyError()", False, "failed"),
        ((Picture(0.0, 12), *PICTURES[1:]), "", True, "lost"),
    ],
)
def test_readings_are_classified(
    pictures: tuple[Picture, ...], message: str, is_known: bool, expected: str
) -> None:
    assert classify(CLIP, 250, Reading(pictures, message, is_known)) == expected
    if not pictures:
        assert classify(CLIP, 50, Reading(pictures, message, is_known)) == "unreadable"
