"""Sections of the report on the network: recipe, data, training samples, architecture."""

from __future__ import annotations

from collections.abc import Mapping

from train.evaluation.html import Page
from train.evaluation.material import Material
from train.evaluation.recipes import STAGE_HEADINGS, Recipe, setting_groups, stage_rows
from train.evaluation.split import HEADINGS, Split
from train.evaluation.tiles import Style
from train.models.registry import WITHOUT_MAPS
from train.training.imm import OTHERS


def add_model(page: Page, model: str, material: Material) -> None:
    """Add the sections on recipe, data, samples and architecture of ``model`` to ``page``."""
    _recipe(page, material.recipe)
    _split(page, material.split)
    _samples(page, material)
    _architecture(page, model, material)


def _recipe(page: Page, recipe: Recipe) -> None:
    page.heading("Recipe")
    page.text(recipe.source)
    for session in (recipe.record or {}).get("sessions", ()):
        page.text(_session(session))
    page.table("Stages of the training", STAGE_HEADINGS, stage_rows(recipe))
    page.settings(setting_groups(recipe))


def _session(session: Mapping[str, object]) -> str:
    """Return a sentence on one part of a run, from its start to its end or interruption."""
    machine = session.get("machine")
    device = machine.get("device") if isinstance(machine, Mapping) else None
    commit = str(session.get("commit") or "an unknown commit")[:12]
    changed = " with uncommitted changes" if session.get("uncommitted_changes") else ""
    start, done = session.get("started", "at an unknown time"), session.get("after_epoch", 0)
    place = f"on {device or 'an unknown device'}, by the code of {commit}{changed}"
    return f"Started {start}, after {done} epochs, {place}."


def _split(page: Page, split: Split) -> None:
    page.heading("Data")
    page.table("Training, validation and test", HEADINGS, split.rows)
    page.text(split.note)
    for part, names in split.names.items():
        page.folded(f"The {len(names)} files of the {part} set", ", ".join(names))


def _samples(page: Page, material: Material) -> None:
    page.heading("Training samples")
    if not material.samples:
        page.text("None: there are no training pictures, or the augmentation of this run is not known here.")
        return
    others = " Faces of 300-W, framed like these, are not shown." if OTHERS in material.recipe.sets else ""
    page.text(
        "Left plain, right as training sees it: cut, turned and changed at random by the recipe above, with "
        f"the labels that it learns from.{others}"
    )
    legend: dict[str, Style] = {"label": "label"}
    if any(marks.style == "other" for item in material.samples for one in item.tiles for marks in one.marks):
        legend["covered or guessed point"] = "other"
    page.gallery(material.samples, legend)


def _architecture(page: Page, model: str, material: Material) -> None:
    page.heading("Architecture")
    height, width = material.picture_hw
    parameters = sum(block.parameters for block in material.architecture)
    work = sum(block.multiply_adds for block in material.architecture)
    read = (
        "" if model in WITHOUT_MAPS else " Each point is the mean of its map's softmax, without parameters."
    )
    page.text(
        f"From a grey picture of {width} x {height} pixels (width x height): {parameters:,} parameters, "
        f"{work / 1e6:,.1f} million multiply-adds a picture.{read}"
    )
    rows = [
        [
            block.name,
            block.layers,
            " x ".join(map(str, block.shape)) or "not used",
            f"{block.parameters:,}",
            f"{block.multiply_adds:,}",
        ]
        for block in material.architecture
    ]
    headings = ("block", "layers", "output: channels x rows x columns", "parameters", "multiply-adds")
    total = ["total", "", "", f"{parameters:,}", f"{work:,}"]
    page.table("Layers in order", headings, [*rows, total], total=True)
    note = "Multiply-adds are those of convolutions and linear layers."
    if material.folded:
        note += " This is the exported network: the batch normalisations of training are in the convolutions."
    page.text(note)
