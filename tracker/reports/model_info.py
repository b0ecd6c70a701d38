"""``tracker info MODEL``: a landmark model as plain text: its points, file, licence and training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tracker.inference.landmark_models import UNSTATED, LandmarkModel, find_landmark_model
from tracker.inference.weights import ModelFile
from tracker.scheme.value import Scheme
from tracker.system.terminal import printable

_LONGEST = 200
"""Characters of a value of the training that are shown."""


def describe_model(name: str) -> str:
    """Return the description of a landmark model, shipped or the path of one's own.

    Raises :class:`~tracker.errors.WeightsError` for a model that does not exist or cannot be used.
    """
    model = find_landmark_model(name)
    lines = [
        *_about("model", model.file.name),
        *_files(model),
        *_about("licence", model.file.licence),
        *_about("made with", model.file.meta.get("made_with", UNSTATED)),
        *_takes(model),
        *_points(model.scheme),
        *_training(model.file),
    ]
    return "\n".join(lines)


def _about(what: str, value: object) -> Iterator[str]:
    yield f"{what:<12} {printable(str(value))}"


def _files(model: LandmarkModel) -> Iterator[str]:
    for file in (model.file, *model.file.variants.values()):
        path = file.path if model.graph else file.verified()
        yield from _about("file", path)
        yield from _about("  size", f"{path.stat().st_size / 1e3:.0f} kB")
        yield from _about("  precision", file.precision or UNSTATED)
        yield from _about("  sha256", file.sha256)


def _takes(model: LandmarkModel) -> Iterator[str]:
    if model.graph:
        yield from _about("input", model.graph.inputs[0])
        yield from _about("outputs", model.graph.described_outputs)
    if model.description:
        yield from _about("contract", "described by the TOML file beside it")
        if model.description.presence is None:
            yield from _about("presence", "not told: a face stays until it leaves the picture")
        elif model.judge:
            yield from _about("presence", f"that of {model.judge.name}")


def _points(scheme: Scheme) -> Iterator[str]:
    yield from _about("points", scheme)
    if scheme.parts:
        parts = (f"{name} ({len(points)})" for name, points in scheme.parts.items())
        yield from _about("parts", ", ".join(parts))
    if scheme.names:
        yield from _about("names", ", ".join(scheme.names))
    yield from _about("edges", len(scheme.edges))
    yield from _about("mirror", "points change places" if scheme.mirror else "no order: points keep places")
    yield from _about("errors by", _normaliser(scheme))
    yield from _about("measured", ", ".join(_measured(scheme)) or "nothing")
    crop = scheme.crop
    yield from _about("crop", f"{crop.margin:g} times the points, {crop.box_margin:g} times a detector's box")


def _normaliser(scheme: Scheme) -> str:
    if scheme.normaliser is None:
        return "the size of the points' box"
    first, second = scheme.normaliser
    return f"the distance of points {first} and {second}"


def _measured(scheme: Scheme) -> Iterator[str]:
    rings = {"eyes": scheme.measured.left_eye, "mouth": scheme.measured.mouth, "pose": scheme.measured.pose}
    yield from (name for name, points in rings.items() if points is not None)


def _training(file: ModelFile) -> Iterator[str]:
    training = file.meta.get("training")
    if isinstance(training, Mapping):
        yield "training"
        for name, value in training.items():
            yield f"  {printable(str(name)[:_LONGEST])}: {printable(str(value)[:_LONGEST])}"
