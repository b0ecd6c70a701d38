"""The command ``tracker bench``.

Modules that take long to import are imported after usage is checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracker.cli.exit_codes import interruptible
from tracker.cli.options import named_path
from tracker.cli.usage import parse_size


def bench(  # noqa: PLR0913 - options of the command line
    backend: Annotated[list[str] | None, typer.Option(help="Backend to measure; repeat for several.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Model to measure; repeat for several.")] = None,
    precision: Annotated[
        list[str] | None, typer.Option(help="File of the model, fp32 or int8. Default: what suits best here.")
    ] = None,
    threads: Annotated[
        list[int] | None,
        typer.Option(min=1, max=256, help="CPU threads; repeat. Default: one per core, at most 4."),
    ] = None,
    size: Annotated[
        list[str] | None,
        typer.Option(metavar="WxH", help="Frame size; repeat. Default: 640x480."),
    ] = None,
    faces: Annotated[
        list[int] | None, typer.Option(min=1, max=32, help="Faces in the frame; repeat. Default: 1.")
    ] = None,
    frames: Annotated[int, typer.Option(min=10, help="Frames per measurement.")] = 300,
    video: Annotated[
        Path | None,
        typer.Option(
            parser=named_path, metavar="FILE", help="Measure on this video, following --faces at most."
        ),
    ] = None,
    under_load: Annotated[
        bool, typer.Option("--under-load", help="Measure even while other programs use the cores.")
    ] = False,
    json: Annotated[
        Path | None, typer.Option("--json", parser=named_path, metavar="FILE", help="Write the rows as JSON.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(parser=named_path, metavar="FILE.png", help="Draw where the time goes (extra: plot)."),
    ] = None,
) -> None:
    """Measure latency per stage, start-up and memory on this computer; needs no camera and no data.

    Every combination of the options that can be repeated is measured:
    `tracker bench --backend cpu --backend openvino --faces 1 --faces 5`.
    """
    from tracker.reports.bench.records import BenchGrid
    from tracker.reports.bench.run import run_bench

    with interruptible(writes=bool(json or plot)):
        grid = BenchGrid(
            backends=tuple(backend or ["auto"]),
            models=tuple(model or ["resnet18"]),
            precisions=tuple(precision or [None]),
            threads=tuple(threads or [0]),
            sizes=tuple(parse_size(text) for text in size or ["640x480"]),
            faces=tuple(faces or [1]),
            frames=frames,
            video=video,
            under_load=under_load,
        )
        run_bench(grid, json, plot)
