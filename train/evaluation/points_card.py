"""Draft of the card of a model for points of one's own, in Markdown."""

from __future__ import annotations

from pathlib import Path

from train.evaluation.points import PointScores
from train.files import replace
from train.models.trained import Trained

CARD = "card.md"
"""Name of the draft in a run's folder."""


def write_card(out: Path, trained: Trained, scores: PointScores) -> Path:
    """Write the draft to the folder ``out`` and return its path; what only the author knows is left open.

    Raises :class:`~train.errors.RunError` if it cannot be written.
    """
    path = out / CARD
    replace(path, _card(trained, scores).encode())
    return path


def _card(trained: Trained, scores: PointScores) -> str:
    record, scheme = trained.record, trained.scheme
    own, data, recipe = record["own"], record["data"], record["recipe"]
    values = sum(tensor.numel() for tensor in trained.loaded.network.state_dict().values())
    epochs = sum(stage["epochs"] for stage in recipe["stages"])
    start = {
        "none": "random numbers",
        "shipped": f"the shipped {trained.model}, whose data (300-W, WFLW) is for research only",
    }.get(own["init"], Path(own["init"]).name)
    if own.get("shipped") and own["init"] != "shipped":
        start += ", which goes back to a shipped model, whose data (300-W, WFLW) is for research only"
    figures = "\n".join(f"| {name} | {value} |" for name, value in scores.rows())
    worst = ", ".join(f"{name} ({error:.1f})" for name, error in scores.worst)
    return f"""# {scheme.name}

Locates {scheme.n_points} points of (what?) in grey pictures.

- Network: {trained.model}, {values:,} numbers, crops of {trained.loaded.size} pixels.
- Start: {start}.
- Training: {data["training"]["own"]} faces, {epochs} epochs, seed {record["seed"]}.
- Validation: {data["validation"]} faces; {own["rule"]}.
- Data: (whose pictures, who labelled them, who agreed to this use?)
- Licence: (of the model; the terms of its data and of the weights that it started from hold for it, too)
- Meant for: (what?) Not for: (what?)

## Validation

On crops that the labels place. The pictures with the largest errors, in {scores.unit}: {worst}.

| figure | value |
|---|---|
{figures}

![Curves](curves.png)

![Validation pictures](predictions.png)
"""
