"""Admission: fit the decision whether a detected face is one, and show how reliable it is.

``python -m benchmarks.admission candidates.jsonl`` reads what ``python -m benchmarks.candidates`` wrote. The
coefficients are fitted on the training and validation sides of the data; the tables are of the side that was
held out. With ``--write`` they go into the model's manifest entry, from where the tracker takes them.

Of the candidates that show one labelled face, such as the same box upright and turned over, only the one that
the tracker keeps is used. Drawn faces (``anime``) are left out of the fit: whether they count is left open.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from matplotlib.figure import Figure

from benchmarks.command import JsonOption, ModelOption, check_outputs, run_command, write_report
from export.manifest import update_meta
from tracker.inference.weights import weights_dir
from tracker.tracking.admission import Admission, features
from tracker.types import FaceBox
from train.data.sides import Side
from train.data.text import numbered_lines
from train.errors import DataError
from train.evaluation.figures import PALETTE, panels, plain_axes, png
from train.files import replace

BINS = (0.0, 0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)
"""Borders of the reliability table."""

_FEATURES = ("score", "presence", "quality", "size")
_DECAY = 1.0
_STEPS = 60

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """A box of the detector as the tracker judges it; ``label`` is the labelled box that it is, if any."""

    image: str
    kind: str
    side: Side
    score: float
    presence: float
    quality: float
    box: FaceBox
    label: int | None

    @property
    def features(self) -> tuple[float, float, float, float]:
        """Values that the tracker's admission weighs."""
        return features(self.score, self.presence, self.quality, self.box)


def read_candidates(path: Path) -> list[Candidate]:
    """Read the lines of ``path``.

    Raises :class:`~train.errors.DataError` with file and line for anything else.
    """
    return [_parse(f"{path}:{number}", line) for number, line in numbered_lines(path)]


def without_rivals(candidates: Sequence[Candidate]) -> Iterator[Candidate]:
    """Yield ``candidates``, of those of one labelled face only the most confident."""
    best: dict[tuple[str, int], Candidate] = {}
    for one in candidates:
        if one.label is not None:
            place = one.image, one.label
            if place not in best or one.presence * one.quality > best[place].presence * best[place].quality:
                best[place] = one
    kept = {id(one) for one in best.values()}
    yield from (one for one in candidates if one.label is None or id(one) in kept)


def fit(candidates: Sequence[Candidate]) -> Admission:
    """Return the logistic regression of being a face on the evidence and the size of each candidate.

    The evidence is the sum of the log-odds of score, presence and quality, as of independent observations:
    weights of their own for the three fit the sum of all errors a little better, but admit three times as
    many false faces where nearly all true ones are. The slope makes the sum a probability: J. Platt,
    "Probabilistic outputs for support vector machines", 1999.

    Raises :class:`~train.errors.DataError` unless there are both faces and others.
    """
    truth = np.array([one.label is not None for one in candidates], np.float64)
    if not 0 < truth.sum() < len(truth):
        raise DataError("the candidates hold no face, or nothing else: run python -m benchmarks.candidates")
    values = np.array([one.features for one in candidates])
    bias, evidence, size = _regression(np.column_stack([values[:, :3].sum(axis=1), values[:, 3]]), truth)
    slope = round(evidence, 4)
    return Admission(round(bias, 4), slope, slope, slope, round(size, 4))


def _regression(values: Array, truth: Array) -> tuple[float, ...]:
    """Return bias and slopes of the logistic regression of ``truth`` ``(N,)`` on ``values`` ``(N, F)``."""
    middle, spread = values.mean(axis=0), values.std(axis=0)
    design = np.column_stack([np.ones(len(values)), (values - middle) / spread])
    weights = _newton(design, truth)
    slopes = weights[1:] / spread
    return (float(weights[0] - slopes @ middle), *map(float, slopes))


def probabilities(admission: Admission, candidates: Sequence[Candidate]) -> Array:
    """Return the probability ``(N,)`` that each candidate is a face."""
    weights = np.array([getattr(admission, name) for name in _FEATURES])
    odds = admission.bias + np.array([one.features for one in candidates]).reshape(-1, 4) @ weights
    return np.asarray(1 / (1 + np.exp(-odds)))


def reliability(probability: Array, truth: npt.NDArray[np.bool_]) -> list[dict[str, float]]:
    """Return for each bin of probability its borders, count, mean probability and share of faces."""
    rows = []
    for low, high in pairwise(BINS):
        inside = (probability >= low) & ((probability < high) | (high == 1.0))
        if inside.any():
            mean, share = float(probability[inside].mean()), float(truth[inside].mean())
            rows.append({"from": low, "to": high, "count": int(inside.sum()), "said": mean, "is": share})
    return rows


def trade_off(
    probability: Array, candidates: Sequence[Candidate], thresholds: Sequence[float]
) -> list[dict[str, Any]]:
    """Return for each threshold the faces admitted and the false ones by kind of picture."""
    rows = []
    for threshold in thresholds:
        admitted = [one for one, value in zip(candidates, probability, strict=True) if value >= threshold]
        false: dict[str, int] = {}
        for one in admitted:
            if one.label is None:
                false[one.kind] = false.get(one.kind, 0) + 1
        faces = sum(one.label is not None for one in admitted)
        rows.append({"threshold": threshold, "faces": faces, "false": false})
    return rows


def reliability_plot(table: Sequence[Mapping[str, float]], title: str) -> Figure:
    """Plot the share of faces over the probability said, with the 95 % interval of each share.

    The interval is Wilson's, JASA 1927.
    """
    figure, (axes,) = panels(1, columns=1, width=4.2, height=3.8)
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
    for row in table:
        low, high = _wilson(row["is"], row["count"])
        axes.plot([row["said"]] * 2, [low, high], color=PALETTE[0], linewidth=1)
    said, share = ([row[name] for row in table] for name in ("said", "is"))
    axes.plot(said, share, "o-", color=PALETTE[0], markersize=4, linewidth=1.3)
    axes.set_xlabel("probability by the admission", fontsize=9)
    axes.set_ylabel("share of faces", fontsize=9)
    axes.set_title(title, fontsize=10, parse_math=False)
    plain_axes(axes)
    return figure


def _wilson(share: float, count: float) -> tuple[float, float]:
    z = 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return middle - reach, middle + reach


def _newton(design: Array, truth: Array) -> Array:
    weights = np.zeros(design.shape[1])
    decay = np.diag([0.0, *[_DECAY] * (design.shape[1] - 1)])
    for _ in range(_STEPS):
        guess = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (guess - truth) + decay @ weights
        curvature = (design * (guess * (1 - guess))[:, None]).T @ design + decay
        step = np.linalg.solve(curvature, slope)
        weights = weights - step
        if float(np.abs(step).max()) < 1e-9:
            break
    return weights


def _parse(where: str, line: str) -> Candidate:
    try:
        record = json.loads(line)
        quality = record["presence"] if record["quality"] is None else record["quality"]
        score, presence, quality = (float(value) for value in (record["score"], record["presence"], quality))
        image, kind, side = str(record["image"]), str(record["kind"]), Side(record["side"])
        box, label = FaceBox(*map(float, record["box"])), record["label"]
        return Candidate(image, kind, side, score, presence, quality, box, label)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{where}: not a candidate: {error}") from error


def _echo(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    typer.echo(title)
    for row in rows:
        cells = (f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())
        typer.echo("  " + "  ".join(cells))


def main(
    candidates: Annotated[Path, typer.Argument(help="What python -m benchmarks.candidates wrote.")],
    model: ModelOption = "resnet18",
    write: Annotated[bool, typer.Option(help="Write the coefficients into the manifest.")] = False,
    plot: Annotated[Path | None, typer.Option(metavar="OUT.png", help="Draw the reliability.")] = None,
    report: JsonOption = None,
) -> None:
    """Fit the admission of detected faces and print how reliable it is on held-out pictures."""
    check_outputs(report, plot)
    everything = list(without_rivals(read_candidates(candidates)))
    known = [one for one in everything if one.kind != "anime"]
    sides = {
        "tuning": [one for one in known if one.side is not Side.HELD_OUT],
        "held out": [one for one in known if one.side is Side.HELD_OUT],
    }
    held = sides["held out"]
    admission = fit(sides["tuning"])
    truth = np.array([one.label is not None for one in held], bool)
    probability = probabilities(admission, held)
    table = reliability(probability, truth)
    typer.echo(str(admission))
    _echo("held out: probability said, and share of faces", table)
    thresholds = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.84, 0.9)
    curves = {}
    for name, some in sides.items():
        curves[name] = trade_off(probabilities(admission, some), some, thresholds)
        _echo(f"{name}: faces and false ones admitted", curves[name])
    if plot:
        replace(plot, png(reliability_plot(table, f"{model}: {len(held)} candidates in held-out pictures")))
    if write:
        update_meta(weights_dir(), model, {"admission": asdict(admission)})
    write_report(report, admission=asdict(admission), reliability=table, trade_off=curves)


if __name__ == "__main__":
    run_command(main)
