"""Observers of a run."""

from __future__ import annotations

from tracker.runs.observer import CompositeObserver, FakeObserver, ItemObserver, NullObserver
from tracker.sources.images.source import ReadFailure


def test_a_composite_tells_each_observer_in_order() -> None:
    told: list[str] = []
    fake = FakeObserver()
    both = CompositeObserver(
        ItemObserver(lambda: told.append("first")), fake, ItemObserver(lambda: told.append("last"))
    )
    both.item_done()
    both.group_done([ReadFailure("a.png", "not an image")])
    assert told == ["first", "last"]
    assert (fake.items, fake.failures_by_group) == (1, [1])


def test_a_null_observer_accepts_everything() -> None:
    NullObserver().item_done()
    NullObserver().group_done([])
