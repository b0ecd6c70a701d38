"""Agreement of two backends: in how many frames of videos they follow the same faces under the same ids.

    python -m benchmarks.agreement VIDEO... --first cpu --second openvino

The backends compute the same up to rounding; a decision that sits on a threshold shows as frames in which one
has a face that the other has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.command import JsonOption, ModelOption, check_outputs, run_command, write_report
from tracker.sources.opening import open_source
from tracker.tracking.opening import open_tracker
from tracker.types import FaceBox, FrameResult

SAME_IOU = 0.5
"""Least IoU of the boxes of one face in two results."""

Faces = dict[int, FaceBox]
"""Boxes of the faces of one frame by id."""


def followed(video: Path, model: str, backend: str, max_faces: int) -> list[Faces]:
    """Return the faces of each frame of ``video``."""
    with (
        open_source(str(video)) as source,
        open_tracker(model, backend, max_faces=max_faces) as tracker,
    ):
        return [_faces(tracker.step(frame)) for frame in source]


def disagreements(first: Sequence[Faces], second: Sequence[Faces]) -> list[int]:
    """Return the numbers of the frames in which ids differ, or an id is at another place.

    Raises ``ValueError`` for results of different lengths.
    """
    return [
        number for number, (one, other) in enumerate(zip(first, second, strict=True)) if not _same(one, other)
    ]


def _same(one: Faces, other: Faces) -> bool:
    return one.keys() == other.keys() and all(box.iou(other[key]) >= SAME_IOU for key, box in one.items())


def _faces(result: FrameResult) -> Faces:
    return {face.id: face.box for face in result.faces}


def main(
    videos: Annotated[list[Path], typer.Argument(help="Videos to follow faces in.")],
    first: Annotated[str, typer.Option(help="One backend.")] = "cpu",
    second: Annotated[str, typer.Option(help="The other.")] = "openvino",
    model: ModelOption = "resnet18",
    max_faces: Annotated[int, typer.Option(min=1, help="Faces followed at a time.")] = 12,
    report: JsonOption = None,
) -> None:
    """Print the share of frames in which two backends follow the same faces under the same ids."""
    check_outputs(report)
    total, differ, rows = 0, 0, []
    for video in videos:
        results = [followed(video, model, backend, max_faces) for backend in (first, second)]
        apart = disagreements(*results)
        total, differ = total + len(results[0]), differ + len(apart)
        typer.echo(f"{video.name}: {len(apart)} of {len(results[0])} frames differ  {apart[:20]}")
        rows.append({"video": video.name, "frames": len(results[0]), "differ": apart})
    typer.echo(f"{first} and {second} agree in {100 * (1 - differ / total):.2f} % of {total} frames")
    write_report(report, model=model, backends=[first, second], videos=rows)


if __name__ == "__main__":
    run_command(main)
