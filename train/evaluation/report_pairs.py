"""Sections of the report that put things side by side: two nose networks, and heatmaps beside targets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from train.evaluation import nose_pair
from train.evaluation.extremes import face_item
from train.evaluation.figures import error_curves
from train.evaluation.html import Page
from train.evaluation.material import Maps
from train.evaluation.nose_pair import NosePair
from train.evaluation.tiles import Style

_FACES = 8


def add_pair(page: Page, pair: NosePair) -> None:
    """Add the comparison of the two nose networks to ``page``: table, curves, and faces with both answers."""
    page.heading("Funnel beside fan")
    page.text(
        "The two networks differ in the order of their kernels only: the funnel begins with the large ones, "
        "the fan with the small ones."
    )
    page.table("Both on the same test pictures", nose_pair.header(pair), nose_pair.rows(pair))
    page.text(nose_pair.difference(pair))
    caption = "The higher and the farther left, the better. Dotted: the largest error of a near answer."
    page.plot(partial(error_curves, pair.evaluations), "Cumulative error of funnel and fan", caption)
    order = np.argsort(pair.errors, kind="stable")
    funnel, fan = (pair.evaluations[model] for model in nose_pair.PAIR)
    legend: Mapping[str, Style] = {"label": "label", "funnel": "answer", "fan": "other"}
    for title, rows in (("smallest", order[:_FACES]), ("largest", order[::-1][:_FACES])):
        page.subheading(f"Where the larger of both errors is {title}")
        items = [face_item({"funnel": funnel, "fan": fan}, int(row)) for row in rows]
        page.gallery(items, legend)


def add_maps(page: Page, maps: Maps) -> None:
    """Add heatmaps over good and bad faces to ``page``, and the targets of training."""
    page.heading("Heatmaps")
    page.text(
        "The network draws a map for each point, bright where the point may be. For each face: labels and "
        "predictions; all maps, each scaled to its own peak; and the map of the point that is farthest off. "
        "A narrow peak is a sure answer, a smear along the contour an unsure one."
    )
    legend: Mapping[str, Style] = {"label": "label", "prediction": "answer"}
    for title, items in (("The best faces", maps.best), ("The worst faces", maps.worst)):
        page.subheading(title)
        page.gallery(items, legend)
    page.subheading("Targets of the maps")
    if len(maps.targets) == 1:
        page.text("The loss of this run has no target for maps that is known here.")
    page.gallery(maps.targets, {})
