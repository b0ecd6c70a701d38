"""The two nose networks side by side, on the same faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from train.evaluation.architecture import blocks
from train.evaluation.bootstrap import mean_interval
from train.evaluation.imm_set import crops
from train.evaluation.label_box import label_box
from train.evaluation.labelled import LabelledSet
from train.evaluation.results import Evaluation, scores
from train.evaluation.tables import number
from train.metrics import Float64Array
from train.models.imm import imm_spec
from train.models.load import WEIGHTS, load_network
from train.models.registry import build

PAIR = ("nose-funnel", "nose-fan")


@dataclass(frozen=True, eq=False)
class NosePair:
    """Evaluations of both networks on the same faces, funnel first, and the name of each one's weights."""

    evaluations: Mapping[str, Evaluation]
    weights: Mapping[str, str]

    @property
    def errors(self) -> Float64Array:
        """Larger error of the two on each face, ``(N,)``."""
        return np.asarray(np.max([one.errors for one in self.evaluations.values()], axis=0), np.float64)


def compare(model: str, evaluation: Evaluation, weights: str, faces: LabelledSet) -> NosePair | None:
    """Return ``evaluation`` of ``model`` beside that of the other nose network, as shipped.

    Both are on the same ``faces``. None if ``model`` is no nose network, or the other's weights are not
    shipped.
    """
    if model not in PAIR:
        return None
    other = PAIR[1 - PAIR.index(model)]
    if not (WEIGHTS / f"{other}.safetensors").is_file():
        return None
    loaded = load_network(other)
    shown = crops(other, faces, loaded.size, lambda: None)
    found = {model: evaluation, other: label_box(faces, loaded.network, shown)}
    names = {model: weights, other: "as shipped"}
    return NosePair({name: found[name] for name in PAIR}, {name: names[name] for name in PAIR})


def header(pair: NosePair) -> list[str]:
    """Return the headings of :func:`rows`."""
    sizes = ["kernels, px", "parameters", "multiply-adds"]
    near = f"within {pair.evaluations[PAIR[0]].measure.failure:g} px, %"
    return ["network", *sizes, "mean, px", "95 % interval of the mean", "median, px", near]


def rows(pair: NosePair) -> list[list[str]]:
    """Return a row for each network, in the order of :func:`header`."""
    return [_row(model, pair) for model in PAIR]


def difference(pair: NosePair) -> str:
    """Return in a sentence which network is closer, and how sure that is."""
    funnel, fan = (pair.evaluations[model] for model in PAIR)
    apart = fan.errors - funnel.errors
    people = np.array(fan.people) if fan.people else None
    low, high = mean_interval(apart, groups=people)
    closer = "fan" if apart.mean() < 0 else "funnel"
    wins = int((apart < 0).sum())
    return (
        f"On these {len(apart)} pictures the {closer} is closer by {abs(apart.mean()):.2f} px on average. "
        f"The difference fan minus funnel has a 95 % interval of {low:.2f} to {high:.2f} px (bootstrap over "
        f"people). The fan is closer in {wins} pictures. One pair of trained networks does not decide which "
        "order of kernels is better: python -m train compare-nose trains several of each."
    )


def _row(model: str, pair: NosePair) -> list[str]:
    spec, score = imm_spec(model), scores(pair.evaluations[model])[-1]
    parts = blocks(build(model), (spec.size * 3 // 4, spec.size))
    name = f"{model} ({pair.weights[model]})"
    return [
        name,
        ", ".join(str(kernel) for _, kernel in spec.layers),
        f"{sum(part.parameters for part in parts):,}",
        f"{sum(part.multiply_adds for part in parts):,}",
        number(score.mean),
        f"{number(score.mean_low)} to {number(score.mean_high)}",
        number(score.median),
        number(100 * (1 - score.failure_rate)),
    ]
