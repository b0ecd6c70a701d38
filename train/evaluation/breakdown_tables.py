"""Breakdowns and scores under occlusion as tables: for the screen and for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from train.evaluation.breakdown import Breakdown
from train.evaluation.tables import number, open_console, table

if TYPE_CHECKING:
    from train.evaluation.occlusion import OcclusionScore

YAW_LEGEND = "Yaw: absolute, estimated from the labels by fitting a mean head."
BIAS_LEGEND = (
    "Bias: mean of predicted minus labelled place in % of the distance between the outer eye corners, x to "
    "the right and y down in the picture of the upright face. The labels of 300-W sit about 0.7 % of that "
    "distance to the right of what any training on mirrored faces can learn, so a bias in x is expected; the "
    "models are left symmetric."
)
OCCLUSION_LEGEND = (
    "Occlusion: crops placed by the labels, with a mask drawn over the face or light from one side. Present: "
    "presence above one half. Quality AUC: chance that a covered point has a lower quality than another one."
)


def print_breakdowns(breakdowns: Sequence[Breakdown], occlusion: Sequence[OcclusionScore]) -> None:
    """Print the tables of each condition, that of ``occlusion``, and a legend; nothing for nothing."""
    console, legend = open_console(), []
    for one in breakdowns:
        headings = ["yaw", "faces", "misses", "NME mean", "median"]
        console.print(table(f"{one.condition}: error by yaw, degrees", headings, yaw_cells(one)))
        headings = ["axis", *(bias.part for bias in one.bias)]
        console.print(table(f"{one.condition}: bias, %", headings, bias_cells(one)))
    if occlusion:
        headings = ["picture", "faces", "NME mean", "present %", "quality AUC %"]
        console.print(table("label box: occlusion", headings, occlusion_cells(occlusion)))
    legend += [YAW_LEGEND, BIAS_LEGEND] if breakdowns else []
    legend += [OCCLUSION_LEGEND] if occlusion else []
    if legend:
        console.print(" ".join(legend), style="dim", markup=False, highlight=False)


def yaw_cells(breakdown: Breakdown) -> list[list[str]]:
    """Return the rows of the table by yaw."""
    return [
        [row.name, str(row.faces), str(row.misses), number(row.mean), number(row.median)]
        for row in breakdown.yaw
    ]


def bias_cells(breakdown: Breakdown) -> list[list[str]]:
    """Return the rows of the table of biases, one an axis."""
    return [
        ["x", *(number(row.x) for row in breakdown.bias)],
        ["y", *(number(row.y) for row in breakdown.bias)],
    ]


def occlusion_cells(scores: Sequence[OcclusionScore]) -> list[list[str]]:
    """Return the rows of the table of occlusion."""
    return [
        [
            row.change,
            str(row.faces),
            number(row.mean),
            number(100 * row.present),
            number(100 * row.quality_auc),
        ]
        for row in scores
    ]


def to_dict(breakdowns: Sequence[Breakdown], occlusion: Sequence[OcclusionScore]) -> Mapping[str, Any]:
    """Convert to a dict for JSON: ``by_yaw`` and ``bias_percent`` by condition, and ``occlusion``.

    What was not measured is left out.
    """
    content: dict[str, Any] = {}
    if breakdowns:
        content["by_yaw"] = {one.condition: _yaw(one) for one in breakdowns}
        content["bias_percent"] = {
            one.condition: {row.part: {"x": row.x, "y": row.y} for row in one.bias} for one in breakdowns
        }
    if occlusion:
        content["occlusion"] = {
            row.change: {
                "faces": row.faces,
                "nme_mean": row.mean,
                "share_present": row.present,
                "quality_auc": row.quality_auc,
            }
            for row in occlusion
        }
    return content


def _yaw(breakdown: Breakdown) -> list[dict[str, Any]]:
    return [
        {
            "yaw_deg": row.name,
            "faces": row.faces,
            "misses": row.misses,
            "nme_mean": row.mean,
            "nme_median": row.median,
        }
        for row in breakdown.yaw
    ]
