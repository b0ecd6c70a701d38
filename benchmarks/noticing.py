"""Benchmark of noticing: how long a face is in a video before it is followed.

``python -m benchmarks.noticing VIDEO`` follows the faces of the video, and also finds those of each frame as
in a still image, which searches far more. A face of the stills that is not followed at its place is
overlooked; the table shows the longest such times, and where.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.command import (
    BackendOption,
    JsonOption,
    ModelOption,
    check_outputs,
    run_command,
    write_report,
)
from tracker.sources.opening import open_source
from tracker.tracking.opening import open_tracker
from tracker.types import FaceBox

SAME_IOU = 0.3
"""Least IoU of a face of the stills and of one that is followed, and of one face in two frames."""

SHOWN = 10
"""Rows of the table."""


@dataclass(frozen=True)
class Overlooked:
    """A face that is found in stills, but not followed, for ``frames`` frames from frame ``first`` on.

    ``box`` is where it is in the last of them; ``noticed`` tells whether it is followed in the next one.
    """

    first: int
    frames: int
    box: FaceBox
    noticed: bool = False


def overlooked(
    frames: Iterable[tuple[Sequence[FaceBox], Sequence[FaceBox]]], min_size: float
) -> list[Overlooked]:
    """Return the faces that are overlooked for some time, the longest first.

    Each of ``frames`` has the boxes of the faces that stills show, of which those of at least ``min_size``
    pixels count, and of those that are followed.
    """
    waiting: list[Overlooked] = []
    over: list[Overlooked] = []
    for index, (shown, followed) in enumerate(frames):
        missed = [
            box for box in shown if max(box.width, box.height) >= min_size and not _is_near(box, followed)
        ]
        still = []
        for box in missed:
            before = next((one for one in waiting if one.box.iou(box) >= SAME_IOU), None)
            if before:
                waiting.remove(before)
            first = before.first if before else index
            still.append(Overlooked(first, index + 1 - first, box))
        over += [Overlooked(one.first, one.frames, one.box, _is_near(one.box, followed)) for one in waiting]
        waiting = still
    return sorted([*over, *waiting], key=lambda one: -one.frames)


def _is_near(box: FaceBox, others: Sequence[FaceBox]) -> bool:
    return any(box.iou(other) >= SAME_IOU for other in others)


def main(
    video: Annotated[Path, typer.Argument(help="A video with several people.")],
    model: ModelOption = "resnet18",
    backend: BackendOption = "cpu",
    max_faces: Annotated[int, typer.Option(min=1, help="Faces followed at a time.")] = 12,
    min_size: Annotated[float, typer.Option(help="Least size of a face that counts, pixels.")] = 60.0,
    report: JsonOption = None,
) -> None:
    """Print how long faces are in a video before they are followed."""
    check_outputs(report)
    boxes = []
    with open_source(str(video)) as source, open_tracker(model, backend, max_faces=max_faces) as tracker:
        for frame in source:
            followed = [face.box for face in tracker.step(frame).faces]
            boxes.append(([face.box for face in tracker.find(frame).faces], followed))
    rows = overlooked(boxes, min_size)
    noticed = [row.frames for row in rows if row.noticed]
    typer.echo(f"{video.name}: {len(boxes)} frames; longest until followed: {max(noticed, default=0)} frames")
    for row in rows[:SHOWN]:
        x, y = row.box.center
        end = "then followed" if row.noticed else "then gone"
        typer.echo(
            f"  from frame {row.first:4} for {row.frames:3} frames, {row.box.height:4.0f} px at "
            f"({x:.0f}, {y:.0f}), {end}"
        )
    found = [{"first": row.first, "frames": row.frames, "noticed": row.noticed} for row in rows]
    write_report(report, video=video.name, frames=len(boxes), overlooked=found)


if __name__ == "__main__":
    run_command(main)
