"""Writer of the manifest of shipped models, one entry at a time and in a canonical form."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.errors import WeightsError
from tracker.inference.weights import MANIFEST, ModelFile, load_manifest
from train.files import make_folder, replace

_NUMBERS = re.compile(r"\[\n([-+.\deE,\s]+)\]")  # a list of numbers goes on one line


def write_entry(folder: Path, name: str, kind: str, file: str, licence: str, meta: Mapping[str, Any]) -> None:
    """Add the model ``name`` to the manifest of ``folder``, or replace its entry.

    ``file`` is a name inside ``folder``; its SHA-256 is computed from the current content. Entries and fields
    are sorted, so the same models always give the same bytes. Variants of an earlier entry are removed, since
    they have other weights. Raises :class:`WeightsError` if the file or the manifest cannot be read.
    """
    digest = _digest(folder / file)
    models = _read(folder)
    models[name] = {"kind": kind, "file": file, "sha256": digest, "licence": licence, "meta": dict(meta)}
    _write(folder, models)


def write_variant(folder: Path, name: str, precision: str, file: str, meta: Mapping[str, Any]) -> None:
    """Add the model ``name`` in another ``precision``, or replace it, as ``file`` inside ``folder``.

    ``meta`` states by ``suits`` where it is better: see :class:`~tracker.inference.weights.ModelFile`. Raises
    :class:`WeightsError` if the model is unknown or the file cannot be read.
    """
    models = _read(folder)
    entry = _known(models, name, folder)
    variant = {"file": file, "sha256": _digest(folder / file), "meta": dict(meta)}
    entry["variants"] = {**entry.get("variants", {}), precision: variant}
    _write(folder, models)


def copy_entry(source: Path, target: Path, name: str, precision: str | None = None) -> ModelFile:
    """Copy the model ``name``, or its variant in ``precision``, with its file from one folder to another.

    An entry and a file that ``target`` has are replaced, each at once, the file first. A copied model has no
    variants, a variant becomes one of the model that ``target`` has. Returns the entry in ``target``. Raises
    :class:`WeightsError` if ``source`` has no such model or its file is damaged.
    """
    model = load_manifest(source).get(name)
    if model is None:
        raise WeightsError(f"{source / MANIFEST} has no model {name!r}: export it first")
    file = model if precision is None else model.in_precision(precision)
    content = file.verified().read_bytes()
    make_folder(target)
    replace(target / file.path.name, content)
    if precision is None:
        write_entry(target, name, model.kind, file.path.name, model.licence, file.meta)
        return load_manifest(target)[name]
    meta = {key: value for key, value in file.meta.items() if key != "precision"}  # said by its place
    write_variant(target, name, precision, file.path.name, meta)
    return load_manifest(target)[name].variants[precision]


def adopt(name: str, out: Path, weights: Path) -> None:
    """Copy the model ``name`` of ``weights`` into the folder ``out``, unless that has one of this name.

    Raises :class:`WeightsError` if neither has one.
    """
    if not (out / MANIFEST).exists() or name not in load_manifest(out):
        copy_entry(weights, out, name)


def update_meta(folder: Path, name: str, meta: Mapping[str, Any], precision: str | None = None) -> None:
    """Merge ``meta`` into the metadata of the entry ``name``, or of its variant in ``precision``.

    Raises :class:`WeightsError` if there is none.
    """
    models = _read(folder)
    entry = _known(models, name, folder)
    if precision is not None:
        entry = entry.get("variants", {}).get(precision)
        if entry is None:
            raise WeightsError(f"{folder / MANIFEST} has no {precision} variant of {name!r}: export it first")
    entry["meta"] = {**entry["meta"], **meta}
    _write(folder, models)


def record_nme(folder: Path, name: str, evaluation: Path) -> None:
    """Record the NME over the complete test set from a file of ``python -m train evaluate --json``.

    Raises :class:`WeightsError` if ``evaluation`` is not such a file, does not cover the complete test set,
    or the model is unknown.
    """
    try:
        report = json.loads(evaluation.read_text(encoding="utf-8"))
        model = str(report["model"])
        complete, nme = bool(report["complete"]), float(report["scores"][-1]["nme_mean"])
    except (OSError, ValueError, KeyError, TypeError, IndexError, OverflowError) as error:
        raise WeightsError(f"{evaluation} holds no evaluation: {type(error).__name__}: {error}") from error
    if model != name:
        raise WeightsError(f"{evaluation} is about {model}, not {name}")
    if not complete:
        raise WeightsError(f"{evaluation} covers a part of the test set only: evaluate both subsets")
    update_meta(folder, name, {"nme_percent": round(nme, 2)})


def _known(models: Mapping[str, Any], name: str, folder: Path) -> dict[str, Any]:
    if name not in models:
        raise WeightsError(f"{folder / MANIFEST} has no model {name!r}: export it first")
    entry: dict[str, Any] = models[name]
    return entry


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(f"model file {path} cannot be read: {error.strerror}") from error


def _read(folder: Path) -> dict[str, Any]:
    if not (folder / MANIFEST).exists():
        return {}
    load_manifest(folder)  # raises for a manifest that the tracker would refuse
    models: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["models"]
    return models


def _write(folder: Path, models: Mapping[str, Any]) -> None:
    text = json.dumps({"models": models}, indent=2, sort_keys=True) + "\n"
    rows = _NUMBERS.sub(lambda match: "[" + ", ".join(match[1].replace(",", " ").split()) + "]", text)
    replace(folder / MANIFEST, rows.encode())
