"""Latency of U-Nets against features, working size, stride of the maps and precision.

The latency of a network does not depend on its weights, so untrained ones are timed; accuracy is known for
the shipped models only. All networks are timed in turns, round after round, so that other load on the
computer affects all of them.

    python -m benchmarks.frontier --json frontier.json --plot frontier.png
"""

from __future__ import annotations

import itertools
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from benchmarks.command import JsonOption, check_outputs, run_command, write_report
from benchmarks.timing import call_times
from export.landmarks import Contract, export_onnx, noise_crops
from export.quantise import quantise
from tracker.inference.backends import open_session
from tracker.inference.weights import ModelFile, load_manifest
from train.evaluation.figures import PALETTE, plain_axes, png
from train.files import replace
from train.models.fold import fold_normalisation
from train.models.unet import UNetLandmarks
from train.progress import progress_bar

FEATURES, SIZES, STRIDES = (8, 16, 32), (96, 112, 128, 224), (2, 4)
_CALIBRATION = 8
"""Number of crops for the ranges of 8-bit activations; only time counts, so any crops will do."""


@dataclass(frozen=True)
class Cost:
    """Median milliseconds per crop of a network; ``nme_percent`` of a shipped one, if measured.

    ``features``, ``size`` and ``stride`` are 0 for a shipped model.
    """

    name: str
    precision: str
    features: int
    size: int
    stride: int
    megabytes: float
    median_ms: float
    nme_percent: float | None = None


@dataclass(frozen=True)
class _Candidate:
    name: str
    precision: str
    path: Path
    features: int = 0
    size: int = 0
    stride: int = 0
    nme_percent: float | None = None


def main(
    threads: Annotated[int, typer.Option(min=1, help="Threads of ONNX Runtime.")] = 2,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of ten runs of each network.")] = 10,
    json_path: JsonOption = None,
    plot: Annotated[Path | None, typer.Option(metavar="OUT.png", help="Draw them, too.")] = None,
) -> None:
    """Time U-Nets of 8, 16 and 32 features at four sizes, two strides and two precisions."""
    check_outputs(json_path, plot)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        costs = measure([*shipped(), *untrained(Path(folder))], threads, rounds)
    Console().print(_table(costs, threads))
    write_report(json_path, threads=threads, costs=[asdict(cost) for cost in costs])
    if plot:
        replace(plot, png(frontier_plot(costs, threads)))


def shipped() -> list[_Candidate]:
    """Return the landmark models of the manifest, in each precision for the CPU."""
    return [
        _Candidate(model.name, file.precision, file.verified(), nme_percent=_nme(model, file))
        for model in load_manifest().values()
        if model.kind == "landmarks"
        for file in (model, *model.variants.values())
        if file is model or "cpu" in file.meta["suits"]
    ]


def _nme(model: ModelFile, file: ModelFile) -> float | None:
    """Return the error of the model plus the loss of its variant, or None if it was not measured."""
    nme = model.meta.get("nme_percent")
    return None if nme is None else round(nme + file.meta.get("nme_loss", 0.0), 3)


def untrained(folder: Path) -> list[_Candidate]:
    """Export every U-Net of the grid into ``folder``, as float32 and with 8-bit convolutions."""
    grid = list(itertools.product(FEATURES, SIZES, STRIDES))
    found = []
    with progress_bar("exporting", len(grid)) as advance:
        for features, size, stride in grid:
            name = f"{features} features, {size} px, 1/{stride}"
            plain, small = (folder / f"{features}_{size}_{stride}_{p}.onnx" for p in ("fp32", "int8"))
            network = UNetLandmarks(features, stride).eval()
            fold_normalisation(network)
            export_onnx(Contract(network, size).eval(), plain)
            quantise(plain, small, noise_crops(_CALIBRATION))
            for precision, path in (("fp32", plain), ("int8", small)):
                found.append(_Candidate(name, precision, path, features, size, stride))
            advance()
    return found


def measure(candidates: Sequence[_Candidate], threads: int, rounds: int) -> list[Cost]:
    """Time each candidate on ONNX Runtime's CPU: ten runs per round, after three for warm-up."""
    sessions = [open_session(candidate.path, "cpu", threads) for candidate in candidates]
    times: list[list[float]] = [[] for _ in sessions]
    crop = noise_crops(1)[:, None]
    with progress_bar("timing", rounds) as advance:
        for _ in range(rounds):
            for session, samples in zip(sessions, times, strict=True):
                samples.extend(itertools.islice(call_times(session, crop), 3, 13))
            advance()
    return [
        Cost(
            c.name,
            c.precision,
            c.features,
            c.size,
            c.stride,
            round(c.path.stat().st_size / 1e6, 2),
            round(float(np.median(samples)), 3),
            c.nme_percent,
        )
        for c, samples in zip(candidates, times, strict=True)
    ]


def _table(costs: Sequence[Cost], threads: int) -> Table:
    table = Table(caption=f"Median of one crop on ONNX Runtime CPU, {threads} threads.")
    for header in ("network", "precision", "MB", "ms", "NME, %"):
        table.add_column(header, justify="left" if header == "network" else "right")
    for cost in costs:
        nme = "" if cost.nme_percent is None else f"{cost.nme_percent:.2f}"
        table.add_row(cost.name, cost.precision, f"{cost.megabytes:.1f}", f"{cost.median_ms:.2f}", nme)
    return table


def frontier_plot(costs: Sequence[Cost], threads: int) -> Figure:
    """Draw the latency of the grid in float32 and 8 bits, and error against latency of shipped models."""
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    plain, small, shipped_axes = figure.subplots(1, 3)
    small.sharey(plain)
    for axes, precision in ((plain, "fp32"), (small, "int8")):
        _draw_grid(axes, [cost for cost in costs if cost.features and cost.precision == precision])
        axes.set_title(f"untrained U-Nets, {precision}", fontsize=10)
    plain.set_ylabel(f"ms a crop, {threads} threads", fontsize=9)
    _draw_shipped(shipped_axes, [cost for cost in costs if cost.nme_percent is not None])
    shipped_axes.set_xlabel(f"ms a crop, {threads} threads", fontsize=9)
    return figure


def _draw_grid(axes: Axes, cells: Sequence[Cost]) -> None:
    for features, colour in zip(FEATURES, PALETTE, strict=False):
        for stride, line in zip(STRIDES, ("-", ":"), strict=False):
            row = [cost for cost in cells if (cost.features, cost.stride) == (features, stride)]
            sizes, times = [cost.size for cost in row], [cost.median_ms for cost in row]
            label = f"{features} features, maps 1/{stride}"
            axes.plot(sizes, times, line, marker="o", color=colour, label=label, markersize=4, linewidth=1)
    axes.set_yscale("log")
    axes.set_xticks(SIZES)
    axes.set_xlabel("working size, px", fontsize=9)
    axes.legend(fontsize=7, frameon=False, loc="upper left")
    axes.margins(y=0.45)
    plain_axes(axes)


def _draw_shipped(axes: Axes, costs: Sequence[Cost]) -> None:
    for cost in costs:
        assert cost.nme_percent is not None
        place = (cost.median_ms, cost.nme_percent)
        axes.plot(*place, "o", color=PALETTE[1])
        below = -12 if cost.precision == "int8" else 5  # labels of one model's precisions would overlap
        label = f"{cost.name} {cost.precision}"
        axes.annotate(label, place, (0, below), textcoords="offset points", fontsize=8, ha="center")
    axes.set_title("shipped models", fontsize=10)
    axes.set_ylabel("NME on 300-W common, %", fontsize=9)
    axes.margins(0.3)
    plain_axes(axes)


if __name__ == "__main__":
    run_command(main)
