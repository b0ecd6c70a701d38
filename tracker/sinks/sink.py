"""Base class of sinks: closed once, and not written afterwards."""

from __future__ import annotations

from typing import final

from tracker.errors import MisuseError
from tracker.scheme.value import Scheme
from tracker.system.closing import Closing
from tracker.types import FrameResult


class Sink(Closing):
    """Context manager that a subclass opens when it is made, and releases in :meth:`_close`.

    Each method that writes calls :meth:`_check_open` first.
    """

    _closed = False

    @property
    def closed(self) -> bool:
        """True once it was closed."""
        return self._closed

    @final
    def close(self) -> None:
        """Finish and close the output; closing twice is fine."""
        if not self._closed:
            self._closed = True
            self._close()

    def _close(self) -> None:
        """Release what is open; called once. By default nothing is open between two calls."""

    def _check_open(self) -> None:
        """Raise :class:`~tracker.errors.MisuseError` if the sink was closed."""
        if self._closed:
            raise MisuseError(
                f"this {type(self).__name__} is closed: write inside its with block, or open another one"
            )


def check_scheme(sink: Sink, scheme: Scheme, result: FrameResult) -> None:
    """Raise :class:`~tracker.errors.MisuseError` unless ``result`` is of the ``scheme`` of ``sink``."""
    if result.scheme != scheme:
        raise MisuseError(
            f"this {type(sink).__name__} has columns for {scheme}, the result is of {result.scheme}: "
            "open it with scheme=tracker.scheme"
        )
