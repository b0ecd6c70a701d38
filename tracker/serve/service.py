"""Everything that requests share: models, threads of inference, the live source, and limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from tracker.drawing.anonymise import Anonymiser
from tracker.inference.opening import open_blazeface
from tracker.serve.cluster.engine import ClusterEngine
from tracker.serve.engine import Engine, LocalEngine
from tracker.serve.live import Live, LiveTracking
from tracker.serve.live_source import LiveSource
from tracker.serve.models import Models, model_names
from tracker.serve.seats import Seats
from tracker.serve.settings import ServerSettings
from tracker.serve.worker import FairWorker
from tracker.system.closing import Closing
from tracker.tracking.opening import keep_opencv_to_one_thread

HELPERS = 3
"""Threads for what would hold up the event loop: encoding pictures and opening models."""


class Service(Closing):
    """Models and threads of a server with ``settings``; a context manager.

    ``source`` is the server's own camera or film, which is closed with the rest; None for a server without
    one. ``say`` takes one line for the operator. ``seats`` and ``room`` are the connections, and the bytes of
    pictures over HTTP, that there may be at once. ``engine`` tracks the pictures of clients, ``worker`` those
    of this computer; ``helpers`` are threads for what would hold up the event loop. ``ending`` is set when
    the server begins to end: answers in progress are finished, and nothing new begins.

    Raises :class:`~tracker.errors.WeightsError`, :class:`~tracker.errors.BackendError`, and
    :class:`~tracker.errors.ClusterError`.
    """

    def __init__(
        self, settings: ServerSettings, source: LiveSource | None, say: Callable[[str], None]
    ) -> None:
        self.settings, self.say = settings, say
        self.model_names = model_names(settings.tracker.model)
        self.seats = Seats(settings.limits.connections, f"{settings.limits.connections} connections")
        self.room = Seats(settings.limits.bodies_bytes, "bytes for pictures")
        self.ending = asyncio.Event()
        keep_opencv_to_one_thread()
        with ExitStack() as stack:
            if source:
                stack.enter_context(source)
            self.helpers = stack.enter_context(ThreadPoolExecutor(HELPERS, "helper"))
            self.models = stack.enter_context(Models(settings.tracker))
            self.worker = stack.enter_context(FairWorker())
            engine = self._open_engine()
            stack.push(engine)
            self.engine: Engine = engine
            self.live = stack.enter_context(self._open_live(source)) if source else None
            self._stack = stack.pop_all()

    @property
    def default_model(self) -> str:
        """Name of the model that clients get unless they choose another."""
        chosen = self.settings.tracker.model
        return chosen if chosen in self.model_names else self.model_names[0]

    def close(self) -> None:
        """End all threads and processes; closing twice is fine."""
        self._stack.close()

    def _open_engine(self) -> LocalEngine | ClusterEngine:
        if self.settings.ray is None:
            return LocalEngine(self.settings, self.models, self.worker, self.helpers)
        from tracker.serve.cluster.deployment import open_cluster

        return open_cluster(self.settings, self.say)

    def _open_live(self, source: LiveSource) -> Live:
        settings = self.settings
        detector = open_blazeface(settings.tracker.threads) if settings.anonymise else None

        def anonymiser() -> Anonymiser | None:
            if settings.anonymise is None or detector is None:
                return None
            return Anonymiser(settings.anonymise, detector, thorough=False, mask_scale=settings.mask_scale)

        tracker = self.models.get(settings.tracker.model)
        return Live(source, LiveTracking(self.worker, tracker, anonymiser, self.helpers), self.say)
