"""Speed and memory of the samples that training draws, without a network.

The loader is that of a run, for the recipe of the ResNet18: faces are read and cut, then batches are taken as
fast as they come. Each number of workers is measured in processes of its own. Without ``--data`` the pictures
are large ones that show the shipped portrait, of few files under many names: they are decoded as often as as
many files. Run ``python -m benchmarks.training_loader --help``.
"""

from __future__ import annotations

import importlib.resources
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated

import cv2
import lightning_fabric
import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.command import JsonOption, check_outputs, run_command, write_report
from benchmarks.processes import peak_memory, processor_s
from tracker.errors import BenchError
from tracker.geometry import CropTransform
from tracker.sources.arrays import frame_from
from tracker.tracking.opening import open_tracker
from tracker.types import FloatArray, ImageArray
from train.config import Stage
from train.configs import resnet18
from train.data.readers import LabelledFace
from train.data.splits import training_faces
from train.training.sampling import stage_batches
from train.training.task import landmark_task

_DIFFERENT = 20
"""Files of different content among the generated pictures."""

_SIDES = (300.0, 1200.0)
"""Smallest and largest side of the generated faces' crops, in pixels."""


@dataclass(frozen=True)
class Load:
    """Batches of ``batch_size`` crops of ``size`` pixels, taken for ``seconds`` and at least for an epoch.

    ``start`` is how workers start: by ``fork``, ``spawn`` or ``forkserver``.
    """

    size: int
    batch_size: int
    seconds: float
    start: str


@dataclass(frozen=True)
class Speed:
    """Seconds of reading all pictures, then crops a second, and crops a second of processor time."""

    read_s: float
    per_s: float
    per_processor_s: float


def main(  # noqa: PLR0913 - options of the command line
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Data sets to read.")] = None,
    pictures: Annotated[int, typer.Option(min=1, help="Generated pictures, without --data.")] = 3000,
    width: Annotated[int, typer.Option(min=600, help="Their width.")] = 3000,
    height: Annotated[int, typer.Option(min=600, help="Their height.")] = 2000,
    workers: Annotated[
        list[int] | None, typer.Option(min=0, help="Processes beside the main one; repeat. Default: 0, 1, 4.")
    ] = None,
    size: Annotated[int, typer.Option(min=32, help="Width and height of the crops.")] = 128,
    batch_size: Annotated[int, typer.Option(min=1, help="Crops of a batch.")] = 64,
    seconds: Annotated[float, typer.Option(min=1.0, help="Least time that each is measured.")] = 20.0,
    start: Annotated[
        str, typer.Option(help="How workers start: fork, spawn or forkserver. Default: Python's own.")
    ] = multiprocessing.get_start_method(),
    json: JsonOption = None,
) -> None:
    """Measure the loader for each number of workers, and print crops a second and peak memory."""
    if start not in multiprocessing.get_all_start_methods():
        known = " or ".join(multiprocessing.get_all_start_methods())
        raise BenchError(f"workers cannot start by {start!r} here: choose {known}")
    check_outputs(json)
    load, rows = Load(size, batch_size, seconds, start), []
    with _faces(data, pictures, (height, width)) as faces:
        for count in workers or (0, 1, 4):
            rows.append({"workers": count, **_measured(load, faces, count)})
    Console().print(_table(f"{len(faces)} faces, crops of {size} px", rows))
    write_report(json, faces=len(faces), hw=None if data else (height, width), load=asdict(load), rows=rows)


def _measured(load: Load, faces: list[LabelledFace], workers: int) -> dict[str, float]:
    """Measure in a process of its own, so that its memory holds nothing else."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_take, args=(load, faces, workers, theirs))
    process.start()
    theirs.close()
    assert process.pid is not None
    try:
        with peak_memory(process.pid) as peak:
            speed = ours.recv()
        process.join()
    except EOFError:
        raise BenchError(
            f"the loader failed with {workers} workers: if memory ran out, lower --pictures"
        ) from None
    finally:
        process.kill()
    return {**asdict(speed), **asdict(peak)}


def _take(load: Load, faces: list[LabelledFace], workers: int, result: Connection) -> None:
    """Read the faces, take batches, and send the :class:`Speed`."""
    multiprocessing.set_start_method(load.start, force=True)  # this process was spawned, whatever the default
    torch.set_num_threads(1)
    stage = Stage(load.size, 10_000, 1e-3)
    config = replace(resnet18.CONFIG, stages=(stage,), batch_size=load.batch_size)
    task = landmark_task(config, faces, [])
    began = time.perf_counter()
    crops, _ = task.read(lambda: None)
    read_s = time.perf_counter() - began
    cv2.setNumThreads(1)
    fabric = lightning_fabric.Fabric(accelerator="cpu", devices=1)
    batches = stage_batches(config, crops, task, 0, fabric, workers)
    for _ in range(4 * max(1, workers)):  # until all workers have started
        next(batches.stream)
    began, used, taken = time.perf_counter(), processor_s(os.getpid()), 0
    while time.perf_counter() - began < load.seconds or taken < batches.steps:
        next(batches.stream)
        taken += 1
    drawn, took_s = taken * load.batch_size, time.perf_counter() - began
    per_processor_s = drawn / (processor_s(os.getpid()) - used)
    result.send(Speed(round(read_s, 1), round(drawn / took_s), round(per_processor_s)))


@contextmanager
def _faces(data: Path | None, count: int, hw: tuple[int, int]) -> Iterator[list[LabelledFace]]:
    """Yield the faces to load, below ``data`` or in generated pictures, which are removed after the block."""
    if data:
        yield training_faces(data)[0]
        return
    with tempfile.TemporaryDirectory() as folder:
        yield _generated(Path(folder), count, hw)


def _generated(folder: Path, count: int, hw: tuple[int, int]) -> list[LabelledFace]:
    """Write pictures that show the portrait in several sizes and places."""
    (grey, portrait), rng = _portrait(), np.random.default_rng(0)
    portrait_side = CropTransform.from_points(portrait).side
    faces: list[LabelledFace] = []
    for number in range(count):
        path = folder / f"portrait_{number}.jpg"
        if number >= _DIFFERENT:
            known = faces[number % _DIFFERENT]
            os.link(known.image, path)
            faces.append(replace(known, image=path))
            continue
        zoom = float(np.exp(rng.uniform(*np.log(_SIDES)))) / portrait_side
        shift = rng.uniform(0.3, 0.7, 2) * hw[::-1] - zoom * portrait.mean(axis=0)
        matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
        picture = cv2.warpAffine(grey, matrix, hw[::-1], borderMode=cv2.BORDER_REFLECT_101)
        cv2.imwrite(str(path), picture)
        faces.append(LabelledFace(path, zoom * portrait + shift, "helen"))
    return faces


def _portrait() -> tuple[ImageArray, FloatArray]:
    """Return the shipped portrait, grey, and the points of its face."""
    data = importlib.resources.files("tracker").joinpath("assets/astronaut.jpg").read_bytes()
    image = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    with open_tracker("unet-light", "cpu", threads=1) as tracker:
        (face,) = tracker.find(frame_from(image)).faces
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8), face.landmarks.points_frame


def _table(title: str, rows: list[dict[str, float]]) -> Table:
    table = Table(title=title, title_justify="left")
    columns = {
        "workers": "workers",
        "read_s": "read, s",
        "per_s": "crops/s",
        "per_processor_s": "a processor s",
        "total_mb": "peak, MB",
        "anonymous_mb": "anonymous, MB",
    }
    for header in columns.values():
        table.add_column(header, justify="right")
    for row in rows:
        table.add_row(*(f"{row[name]:g}" for name in columns))
    return table


if __name__ == "__main__":
    run_command(main)
