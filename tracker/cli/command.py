"""Options of a run from the command line."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from tracker.cli.messages import say
from tracker.drawing.anonymise import Mode
from tracker.drawing.style import DEFAULT_STYLE, DrawStyle
from tracker.runs.targets import OutputTargets
from tracker.system.stdout import StandardOutput
from tracker.tracking.opening import TrackerOptions


@dataclass(frozen=True)
class Command:
    """Options that runs over all kinds of sources share; everything opened is closed with ``stack``."""

    stack: ExitStack
    tracker: TrackerOptions
    targets: OutputTargets
    anonymise: Mode | None
    shown: bool
    resume: bool
    upright_labels: bool = False
    mirror: bool | None = None
    style: DrawStyle = DEFAULT_STYLE
    mask_scale: float = 1.0
    quiet: bool = False

    @property
    def shows_progress(self) -> bool:
        """False if it is unwanted, or results go to a terminal, where a bar would be drawn over them."""
        json = self.targets.json
        return not self.quiet and not (isinstance(json, StandardOutput) and json.is_terminal)

    def note(self, line: str) -> None:
        """Say what is good to know, unless only errors and warnings are wanted."""
        if not self.quiet:
            say(line)
