"""Searches that run side by side, so that what they ask a network goes there in one batch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TypeVar

Q = TypeVar("Q")
A = TypeVar("A")
R = TypeVar("R")

Search = Generator[Sequence[Q], list[A], R]
"""Yields questions, is sent their answers in the same order, and returns what it found."""


def run_together(
    searches: Iterable[Search[Q, A, R]], answer: Callable[[Sequence[Q]], Sequence[A]]
) -> list[R]:
    """What each of ``searches`` returns; the questions of one round are answered in one call."""
    running = dict(enumerate(searches))
    asked: dict[int, Sequence[Q]] = {}
    found: dict[int, R] = {}

    def advance(number: int, answers: list[A] | None) -> None:
        try:
            search = running[number]
            asked[number] = next(search) if answers is None else search.send(answers)
        except StopIteration as end:
            found[number] = end.value

    for number in running:
        advance(number, None)
    while asked:
        round_, asked = asked, {}
        answers = iter(answer([question for questions in round_.values() for question in questions]))
        for number, questions in round_.items():
            advance(number, [next(answers) for _ in questions])
    return [found[number] for number in running]
