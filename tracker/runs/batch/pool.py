"""Worker processes on this computer; one that dies is replaced."""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Protocol

from tracker.runs.batch.job import do_job
from tracker.runs.batch.plan import Job
from tracker.runs.batch.records import Outcome
from tracker.runs.observer import NullObserver
from tracker.system.closing import Closing
from tracker.system.signals import interrupts_ignored
from tracker.tracking.opening import TrackerOptions

_GRACE_S = 5.0


@dataclass(frozen=True)
class Lost:
    """Loss of a worker while it did its job; ``why`` is one line for the user."""

    why: str


class Workers(Protocol):
    """Workers that do several jobs at once."""

    @property
    def free(self) -> int:
        """Number of jobs that may be started now."""

    def start(self, job: Job) -> None:
        """Start ``job``."""

    def wait(self) -> list[tuple[Job, Outcome | Lost]]:
        """Wait for at least one job to end."""

    def close(self) -> None:
        """Stop jobs that are still running; closing twice is fine."""


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    job: Job | None = None


class Pool(Closing):
    """Pool of ``processes``, each with a tracker of ``options``, that put results into ``folder``."""

    def __init__(self, processes: int, folder: Path, options: TrackerOptions) -> None:
        self._arguments = (folder, options)
        self._workers: list[_Worker] = []
        self._processes = processes

    @property
    def free(self) -> int:
        """Number of jobs that may be started now."""
        return self._processes - sum(worker.job is not None for worker in self._workers)

    @property
    def process_ids(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.process.pid for worker in self._workers if worker.process.pid is not None]

    def start(self, job: Job) -> None:
        """Give ``job`` to an idle process, or to a new one."""
        idle = [worker for worker in self._workers if worker.job is None]
        worker = idle[0] if idle else self._open()
        worker.job = job
        with suppress(OSError):  # it died while idle; wait() notices that
            worker.pipe.send(job)

    def wait(self) -> list[tuple[Job, Outcome | Lost]]:
        """Wait for at least one job to end."""
        ended: list[tuple[Job, Outcome | Lost]] = []
        while not ended:
            ready = wait([worker.pipe for worker in self._workers])
            for worker in [worker for worker in self._workers if worker.pipe in ready]:
                result = self._answer(worker)
                if worker.job:
                    ended.append((worker.job, result))
                worker.job = None
        return ended

    def close(self) -> None:
        """End all processes; closing twice is fine."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in workers:
            worker.process.join(_GRACE_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()

    def _open(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, *self._arguments), daemon=True)
        with interrupts_ignored():
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _answer(self, worker: _Worker) -> Outcome | Lost:
        try:
            answer: Outcome = worker.pipe.recv()
        except (EOFError, OSError):
            self._workers.remove(worker)
            worker.pipe.close()
            worker.process.join(_GRACE_S)
            return Lost(f"its process ended with code {worker.process.exitcode}")
        return answer


class _ParentWatch(NullObserver):
    """Observer that ends this process when the process that distributes the jobs has died."""

    def __init__(self) -> None:
        self._parent = multiprocessing.parent_process()  # os.getppid() would miss an early death

    def item_done(self) -> None:
        """Raise ``SystemExit`` if the parent is dead."""
        if self._parent is not None and not self._parent.is_alive():
            raise SystemExit(1)


def _serve(pipe: Connection, folder: Path, options: TrackerOptions) -> None:
    """Do jobs until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # not inherited on Windows
    watch = _ParentWatch()
    with suppress(EOFError, OSError):
        while True:
            job: Job = pipe.recv()
            pipe.send(do_job(job, folder, options, watch))
