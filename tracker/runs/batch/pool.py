"""Worker processes of this computer. One that dies is replaced, and takes nothing along."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Protocol

from tracker.runs.batch.job import Outcome, do_job
from tracker.runs.batch.plan import Job
from tracker.system.closing import Closing
from tracker.tracking.opening import TrackerOptions

_GRACE_S = 5.0


@dataclass(frozen=True)
class Lost:
    """A worker died over its job; ``why`` says how."""

    why: str


class Workers(Protocol):
    """Who does jobs, several at once."""

    @property
    def free(self) -> int:
        """How many more jobs may be given out now."""
        ...

    def start(self, job: Job) -> None:
        """Give out ``job``."""
        ...

    def wait(self) -> list[tuple[Job, Outcome | Lost]]:
        """Wait until at least one job has come to an end."""
        ...

    def close(self) -> None:
        """End all that is still being done; closing twice is fine."""
        ...


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    job: Job | None = None


class Pool(Closing):
    """``jobs`` processes, each with a tracker of ``options``, that put results into ``folder``."""

    def __init__(self, jobs: int, folder: Path, options: TrackerOptions) -> None:
        self._arguments = (folder, options)
        self._workers: list[_Worker] = []
        self._jobs = jobs

    @property
    def free(self) -> int:
        return self._jobs - sum(worker.job is not None for worker in self._workers)

    def start(self, job: Job) -> None:
        idle = [worker for worker in self._workers if worker.job is None]
        worker = idle[0] if idle else self._open()
        worker.job = job
        with suppress(OSError):  # one that has died while idle: wait() finds it
            worker.pipe.send(job)

    def wait(self) -> list[tuple[Job, Outcome | Lost]]:
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
        with _ctrl_c_ignored():
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


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """What is started meanwhile ignores Ctrl-C for good, from its first instruction on: it is for us."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(pipe: Connection, folder: Path, options: TrackerOptions) -> None:
    """Do jobs until the pipe closes. Ctrl-C is for who gives them out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Windows that is not inherited
    parent = multiprocessing.parent_process()

    def alive() -> None:
        # Who gives out jobs may have died before we came here: the parent's id would tell us nothing then.
        if parent is not None and not parent.is_alive():  # nobody waits for this any more
            raise SystemExit(1)

    with suppress(EOFError, OSError):
        while True:
            job: Job = pipe.recv()
            pipe.send(do_job(job, folder, options, alive))
