"""``tracker info``: backends, models, cameras, processor and versions on this computer, as plain text."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

from tracker.distribution import repair_command
from tracker.errors import BackendError, WeightsError
from tracker.inference.backends import BACKENDS, open_session
from tracker.inference.weights import ModelFile, load_manifest
from tracker.sources.camera.devices import describe_cameras, list_cameras
from tracker.system.libraries import conflicts, describe_libraries
from tracker.system.machine import cpu_flags, describe_machine, library_versions


def describe() -> str:
    """Return the report; each backend is opened on the smallest shipped model, each hash is compared.

    A model file that differs from the manifest is reported as damaged. Raises
    :class:`~tracker.errors.WeightsError` if there is no usable manifest.
    """
    listed = [model for model in load_manifest().values() if not model.left_out]
    files = [file for model in listed for file in (model, *model.variants.values())]
    models = [(file, _intact(file)) for file in files]
    lines = [
        "backends",
        *_backends([path for _, path in models if path and path.suffix == ".onnx"]),
        "models",
        *_models(models),
        "cameras",
        *(f"  {line}" for line in describe_cameras(list_cameras())),
        "processor",
        f"  {describe_machine()['cpu']}",
        f"  {' '.join(cpu_flags()) or 'no instructions known for fast inference'}",
        "libraries",
        *(f"  {line}" for line in (*describe_libraries(), *conflicts())),
        "versions",
        f"  Python {platform.python_version()} on {platform.platform()}",
        *(f"  {name} {number}" for name, number in library_versions().items()),
    ]
    return "\n".join(lines)


def _backends(graphs: list[Path]) -> Iterator[str]:
    if not graphs:
        yield "  cannot be tried: no model is intact"
        return
    smallest = min(graphs, key=lambda path: path.stat().st_size)
    for name in BACKENDS:
        try:
            yield f"  {name:<10} opens: {open_session(smallest, name).provider}"
        except BackendError as error:
            yield f"  {name:<10} no: {error}"


def _models(models: list[tuple[ModelFile, Path | None]]) -> Iterator[str]:
    for model, path in models:
        name = f"{model.name} {model.precision}" if model.kind == "landmarks" else model.name
        if path is None:
            yield f"  {name:<24} {model.kind:<10} damaged or missing: {model.path}: {repair_command()}"
            continue
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        yield f"  {name:<24} {model.kind:<10} {size:>8}  sha256 {model.sha256[:16]}{model_notes(model)}"


def model_notes(model: ModelFile) -> str:
    """Return the accuracy of a model file, and the backends that prefer it on this processor."""
    notes = ""
    if "nme_percent" in model.meta:
        notes += f"  NME {model.meta['nme_percent']} %"
    if "nme_loss" in model.meta:
        notes += f"  NME {model.meta['nme_loss']:+} points"
    for backend, flags in model.meta.get("suits", {}).items():
        here = not flags or not set(flags).isdisjoint(cpu_flags())
        notes += f"  {'' if here else 'not '}taken here on {backend}"
    return notes


def _intact(model: ModelFile) -> Path | None:
    try:
        return model.verified()
    except WeightsError:
        return None
