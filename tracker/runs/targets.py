"""Targets of a run's outputs: the values of the output options. Nothing is opened here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.sinks.video.formats import SUFFIXES
from tracker.sources.suffixes import IMAGE_SUFFIXES

if TYPE_CHECKING:
    from tracker.system.stdout import StandardOutput


VIDEO_SUFFIXES = SUFFIXES - {".gif"}
"""Suffixes by which an output is a video, and not a folder; a GIF may be a picture, too."""


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
    def is_one_image(self) -> bool:
        """True if the output for pictures is a file for one image, by its suffix, and not a folder.

        The sink refuses formats that are only read.
        """
        output = self.output
        return output is not None and output.suffix.lower() in IMAGE_SUFFIXES and not output.is_dir()

    @property
    def any(self) -> bool:
        """True if there is an output besides the screen."""
        return any(vars(self).values())

    @property
    def single_files(self) -> tuple[str, ...]:
        """Options among the targets that name one file of results, as ``--json``."""
        names = ("json", "csv", "openface", "parquet", "labels")
        return tuple(f"--{name}" for name in names if getattr(self, name))

    @property
    def paths(self) -> tuple[Path, ...]:
        """Files and folders among the targets."""
        return tuple(target for target in vars(self).values() if isinstance(target, Path))
