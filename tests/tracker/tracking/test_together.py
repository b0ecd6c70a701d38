"""Searches side by side: one call a round, every answer where it belongs."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces import astronaut
from tracker.tracking.opening import open_tracker
from tracker.tracking.together import Search, run_together
from tracker.types import Frame


def doubling(rounds: list[list[int]]) -> Search[int, int, list[int]]:
    got = []
    for questions in rounds:
        got += yield questions
    return got


@given(st.lists(st.lists(st.lists(st.integers(), max_size=4), max_size=4), max_size=5))
def test_each_search_gets_its_own_answers_in_few_calls(all_rounds: list[list[list[int]]]) -> None:
    calls = []

    def answer(questions: Sequence[int]) -> list[int]:
        calls.append(len(questions))
        return [2 * question for question in questions]

    found = run_together([doubling(rounds) for rounds in all_rounds], answer)
    assert found == [[2 * q for questions in rounds for q in questions] for rounds in all_rounds]
    assert len(calls) == max((len(rounds) for rounds in all_rounds), default=0)


def test_an_error_of_the_answer_is_raised() -> None:
    def fail(_: Sequence[int]) -> list[int]:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        run_together([doubling([[1]])], fail)


def test_pictures_together_give_what_each_gives_alone() -> None:
    face = astronaut()
    blank = np.full_like(face, 120)
    pair = np.hstack([face, cv2.flip(face, 1)])
    pictures = [face, blank, pair, cv2.resize(face, None, fx=1.5, fy=1.5), face[:, ::-1].copy()]
    images = [Frame(image, i, 0.0, str(i)) for i, image in enumerate(pictures)]
    with open_tracker(backend="cpu", threads=1) as tracker:
        together = tracker.find_all(images)
        alone = [tracker.find(image) for image in images]
        assert tracker.find_all([]) == []
    assert [len(result.faces) for result in together] == [1, 0, 2, 1, 1]
    for one, other in zip(together, alone, strict=True):
        assert (one.index, one.source, one.image_hw) == (other.index, other.source, other.image_hw)
        for a, b in zip(one.faces, other.faces, strict=True):
            assert a.id == b.id
            # Sums in another order move a point by some float steps of a crop of 224 pixels.
            assert np.abs(a.landmarks.points_frame - b.landmarks.points_frame).max() < 1e-2
