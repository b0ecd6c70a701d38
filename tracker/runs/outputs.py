"""The outputs that a command line asks for: what goes together, and opening them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

if TYPE_CHECKING:
    from tracker.drawing.anonymise import Anonymiser
    from tracker.runs.loop import Outputs
    from tracker.sources.film import Film
    from tracker.system.stdout import StandardOutput

STDOUT = Path("-")


@dataclass(frozen=True)
class OutputFiles:
    """What the options of the same names hold; None where one was not given."""

    output: Path | None
    json: Path | None
    csv: Path | None
    openface: Path | None
    parquet: Path | None
    labels: Path | None
    osc: str | None
    virtual_camera: str | None
    anonymise: Literal["blur", "points"] | None

    @property
    def any(self) -> bool:
        """Whether results go anywhere but to the screen."""
        return any((*self._files, self.osc, self.virtual_camera))

    @property
    def _files(self) -> tuple[Path, ...]:
        places = (self.output, self.json, self.csv, self.openface, self.parquet, self.labels)
        return tuple(path for path in places if path)

    def check(self, is_images: bool, shown: bool) -> None:
        """Refuse, as wrong usage, what cannot be done for ``is_images`` or a video or camera."""
        if not shown and not self.any:
            raise typer.BadParameter(
                "nothing to do: without a window give --output, --json or another output"
            )
        if is_images and self.virtual_camera:
            raise typer.BadParameter("--virtual-camera shows a camera or a video, not --images")
        if is_images and self.openface:
            raise typer.BadParameter("--openface is a table over time, not for --images; take --csv")
        if not is_images and self.labels:
            raise typer.BadParameter("--labels is for --images; take --csv or --openface")
        if self.anonymise and not (shown or self.output or self.virtual_camera):
            raise typer.BadParameter("--anonymise is for pictures: give --output with it")
        to_stdout = self._files.count(STDOUT) - (self.json == STDOUT)
        if "" in (self.osc, self.virtual_camera) or to_stdout:
            raise typer.BadParameter("an empty name, or - for a file; only --json - is standard output")
        places = [Path("/dev/stdout" if path == STDOUT else path).resolve() for path in self._files]
        # What a run keeps beside these while it goes on would replace another output of that name.
        for path, ending in ((self.json, ".resume"), (self.parquet, ".part")):
            if path and path.name:
                places.append(path.with_name(path.name + ending).resolve())
        if len(set(places)) < len(places):
            raise typer.BadParameter("--output, --json, --csv and the other outputs need a file each")

    def open(
        self,
        stack: ExitStack,
        json: Path | StandardOutput | None,
        inputs: Sequence[Path],
        made_by: Mapping[str, Any],
        append: bool,
        **pictures: Any,
    ) -> Outputs:
        """Open what holds results as numbers, ``json`` as it was taken; ``pictures`` go along.

        With ``append`` the JSON lines follow those that are there.
        """
        from tracker.runs.loop import Outputs
        from tracker.sinks.csv_table import CsvSink
        from tracker.sinks.json_lines import JsonSink
        from tracker.sinks.labels import label_sink
        from tracker.sinks.openface import OpenFaceSink
        from tracker.sinks.osc import OscSink
        from tracker.sinks.parquet import ParquetSink

        enter = stack.enter_context
        # First those that may not open for other reasons than their file: old results stay then.
        osc = enter(OscSink(self.osc)) if self.osc else None
        parquet = enter(ParquetSink(self.parquet, inputs, made_by)) if self.parquet else None
        if labels := label_sink(self.labels, inputs) if self.labels else None:
            enter(labels)
        return Outputs(
            osc=osc,
            parquet=parquet,
            labels=labels,
            csv=enter(CsvSink(self.csv, inputs)) if self.csv else None,
            openface=enter(OpenFaceSink(self.openface, inputs)) if self.openface else None,
            # Last: what an earlier run left can be resumed as long as it is not opened.
            json=enter(JsonSink(json, inputs, append)) if json else None,
            **pictures,
        )

    def open_pictures(
        self,
        stack: ExitStack,
        size: tuple[int, int],
        like: Film | None,
        anonymiser: Anonymiser | None,
    ) -> dict[str, Any]:
        """Open what moving pictures of ``size`` (width, height) go to; ``like`` is the video they are of."""
        from tracker.sinks.video.delayed import DelayedSink
        from tracker.sinks.video.numbered import NumberedImageSink
        from tracker.sinks.video.sink import VideoSink
        from tracker.sinks.virtual_camera import VirtualCamera
        from tracker.sources.patterns import is_numbered

        pictures: dict[str, Any] = {}
        if self.virtual_camera:
            fps = float(like.fps) if like else 30.0
            camera = VirtualCamera(self.virtual_camera, size, fps, paced=like is not None)
            pictures["camera"] = stack.enter_context(camera)
        if self.output:
            film: NumberedImageSink | VideoSink
            if is_numbered(self.output):
                film = stack.enter_context(NumberedImageSink(self.output, like))
            else:
                film = stack.enter_context(VideoSink(self.output, like))
            pictures["video"] = film
            if anonymiser and anonymiser.mode == "blur":
                pictures["video"] = stack.enter_context(DelayedSink(film))
        return pictures

    def anonymiser(self, threads: int, live: bool) -> Anonymiser | None:
        """What hides faces, if that is asked for; ``live`` must keep up with a camera."""
        if not self.anonymise:
            return None
        from tracker.drawing.anonymise import Anonymiser
        from tracker.inference.opening import open_blazeface

        return Anonymiser(self.anonymise, open_blazeface(threads), thorough=not live)
