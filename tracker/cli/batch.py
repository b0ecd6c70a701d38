"""The command ``tracker batch``.

Modules that take long to import are imported after usage is checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracker.cli.exit_codes import interruptible
from tracker.cli.options import Backend, Detector, MaxFaces, Model, Smoothing


def batch(  # noqa: PLR0913 - options of the command line
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUTS...", help="Videos, and folders of them.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.")],
    jobs: Annotated[int, typer.Option(min=0, max=1024, help="Processes; 0: one per core.")] = 0,
    ray: Annotated[
        str | None,
        typer.Option(metavar="auto|ADDRESS", help="Work on this Ray cluster instead (extra: cluster)."),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=0, max=256, help="CPU threads of each process; 0: the cores divided.")
    ] = 0,
    model: Model = "resnet18",
    backend: Backend = "auto",
    detector: Detector = "blazeface",
    max_faces: MaxFaces = 8,
    smoothing: Smoothing = "low",
) -> None:
    """Track many videos and folders of images; what is done is skipped, so an interrupted batch goes on.

    Folders are searched with all below them, links to other folders left out. Each video and each folder's
    images get a file of JSON lines in the output folder, and `summary.csv` lists all. What fails is tried
    once more, and again when the batch is. The nodes of a cluster must see inputs and outputs under the same
    paths.
    """
    if ray is not None and jobs:
        raise typer.BadParameter("--jobs is for this computer; a cluster has its own cores: leave it out")
    if ray == "":
        raise typer.BadParameter("--ray needs auto or an address")
    with interruptible():
        from tracker.cli.start_batch import BatchCommand, start_batch
        from tracker.tracking.opening import TrackerOptions

        options = TrackerOptions(model, backend, detector, threads, max_faces, smoothing)
        start_batch(BatchCommand(tuple(inputs), output.absolute(), options, jobs, ray))
