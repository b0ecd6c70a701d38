"""The command ``tracker batch``.

Modules that take long to import are imported after usage is checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracker.cli.exit_codes import interruptible
from tracker.cli.options import (
    DEFAULT_MAX_FACES,
    Backend,
    Detector,
    MaxFaces,
    MinFace,
    MinScore,
    Model,
    Quiet,
    Smoothing,
    cluster_address,
    named_path,
    names_path,
)
from tracker.cli.usage import check_detector
from tracker.system.signals import raise_swallowed


def _absolute(name: str) -> str:
    """Return ``name``, a path as an absolute one: the processes of a cluster run in other folders."""
    return str(Path(name).absolute()) if names_path(name) else name


def batch(  # noqa: PLR0913 - options of the command line
    inputs: Annotated[
        list[Path],
        typer.Argument(parser=named_path, metavar="INPUTS...", help="Videos, and folders of them."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", parser=named_path, metavar="DIR", help="Folder for the results.")
    ],
    jobs: Annotated[int, typer.Option(min=0, max=1024, help="Processes; 0: one per core.")] = 0,
    ray: Annotated[
        str | None,
        typer.Option(
            parser=cluster_address,
            metavar="auto|ADDRESS",
            help="Work on this Ray cluster instead (extra: cluster).",
        ),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=0, max=256, help="CPU threads of each process; 0: the cores divided.")
    ] = 0,
    model: Model = "resnet18",
    backend: Backend = "auto",
    detector: Detector = "blazeface",
    max_faces: MaxFaces = None,
    min_score: MinScore = 0.0,
    min_face: MinFace = 0.0,
    smoothing: Smoothing = "low",
    quiet: Quiet = False,
) -> None:
    """Track many videos and folders of images. Finished files are skipped, so a batch can be resumed.

    Folders are searched recursively; links to other folders are not followed. Each video and each folder's
    images get a file of JSON lines in the output folder, and `summary.csv` lists all. A file that
    fails is tried once more, and again the next time the batch is run. The nodes of a cluster must see
    inputs and outputs under the same paths.
    """
    if ray is not None and jobs:
        raise typer.BadParameter("--jobs is for this computer; a cluster has its own cores: leave it out")
    check_detector(detector, max_faces)
    with interruptible():
        from tracker.cli.start_batch import BatchCommand, start_batch
        from tracker.tracking.opening import TrackerOptions

        raise_swallowed()
        most = max_faces or DEFAULT_MAX_FACES
        options = TrackerOptions(
            _absolute(model),
            backend,
            _absolute(detector),
            threads=threads,
            max_faces=most,
            smoothing=smoothing,
            max_still_faces=max_faces,
            min_score=min_score,
            min_face=min_face,
        )
        start_batch(BatchCommand(tuple(inputs), output.absolute(), options, jobs, ray, quiet))
