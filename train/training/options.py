"""Options of a training run that are not part of its recipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LAST = "last.ckpt"
"""Name of a run's checkpoint."""


@dataclass(frozen=True)
class RunOptions:
    """Output folder and hardware of a run, as given on the command line.

    ``out`` is the folder for checkpoint, logs and weights; ``resume`` continues from the checkpoint in it.
    ``devices`` counts the devices of each of ``num_nodes`` machines, ``threads`` the CPU threads (0: torch's
    default), ``workers`` the processes that make samples (0: the training process itself).
    """

    out: Path
    resume: bool = False
    devices: int = 1
    num_nodes: int = 1
    threads: int = 0
    workers: int = 0

    @property
    def has_checkpoint(self) -> bool:
        """True if a checkpoint will be loaded, so that the initial weights do not matter."""
        return self.resume and (self.out / LAST).is_file()
