"""Observers of a run: told after each frame, image and group of images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from tracker.sources.images.source import ReadFailure


class RunObserver(Protocol):
    """Observer of a run's progress. An exception that a method raises ends the run."""

    def item_done(self) -> None:
        """Note that the results of one more frame or image are written."""

    def group_done(self, failures: Sequence[ReadFailure]) -> None:
        """Note that all images of a group are done; ``failures`` are those of the whole run so far."""


class NullObserver:
    """Observer that does nothing; base of those that need one of the two methods only."""

    def item_done(self) -> None:
        """Do nothing."""

    def group_done(self, failures: Sequence[ReadFailure]) -> None:
        """Do nothing."""


class ItemObserver(NullObserver):
    """Observer that calls ``item_done`` after each frame or image, such as to advance a progress bar."""

    def __init__(self, item_done: Callable[[], None]) -> None:
        self._item_done = item_done

    def item_done(self) -> None:
        """Call the function."""
        self._item_done()


class CompositeObserver:
    """Several observers, told in order."""

    def __init__(self, *observers: RunObserver) -> None:
        self._observers = observers

    def item_done(self) -> None:
        """Tell each observer."""
        for observer in self._observers:
            observer.item_done()

    def group_done(self, failures: Sequence[ReadFailure]) -> None:
        """Tell each observer."""
        for observer in self._observers:
            observer.group_done(failures)


class FakeObserver:
    """Observer for tests: counts items, and failures at the end of each group."""

    def __init__(self) -> None:
        self.items = 0
        self.failures_by_group: list[int] = []

    def item_done(self) -> None:
        """Count one item."""
        self.items += 1

    def group_done(self, failures: Sequence[ReadFailure]) -> None:
        """Keep the number of failures."""
        self.failures_by_group.append(len(failures))
