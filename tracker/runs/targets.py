"""Targets of a run's outputs: the values of the output options. Nothing is opened or imported here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracker.system.stdout import StandardOutput


@dataclass(frozen=True)
class OutputTargets:
    """File, folder, address or device of each output, named as its option; None where it is not wanted.

    :data:`tracker.runs.outputs.RESULT_OPENERS` and :data:`~tracker.runs.outputs.PICTURE_OPENERS` open them.
    """

    output: Path | None = None
    json: Path | StandardOutput | None = None
    csv: Path | None = None
    openface: Path | None = None
    parquet: Path | None = None
    labels: Path | None = None
    osc: str | None = None
    virtual_camera: str | None = None

    @property
    def any(self) -> bool:
        """True if there is an output besides the screen."""
        return any(vars(self).values())

    @property
    def paths(self) -> tuple[Path, ...]:
        """Files and folders among the targets."""
        return tuple(target for target in vars(self).values() if isinstance(target, Path))
