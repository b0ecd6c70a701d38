"""Shipped model files: manifest, variants and verification of their hashes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracker.distribution import clone_command, repair_command
from tracker.errors import WeightsError

MANIFEST = "manifest.json"
KINDS = ("landmarks", "detector", "mediapipe", "study")
"""Kinds of models: ``mediapipe`` is a detector in that library's format, ``study`` is for training code."""
CLONE_ONLY = ("mediapipe", "study")
"""Kinds of models that a wheel leaves out, though its manifest lists them."""

_PACKAGE = Path(__file__).resolve().parents[1]
# An installed wheel carries the models inside the package, a clone beside it.
_PLACES = (_PACKAGE / "_weights", _PACKAGE.parent / "weights")


@dataclass(frozen=True)
class ModelFile:
    """Entry of the manifest for one model file.

    ``meta`` holds data that a model of its kind needs besides the graph (the box correction of a detector)
    and figures measured on it (``nme_percent``). ``variants`` are the same model in other precisions, by
    precision. The ``suits`` in a variant's ``meta`` maps each backend on which it is faster to processor
    flags, one of which it needs (an empty list: it is faster on all processors).

    Raises :class:`WeightsError` for an unknown ``kind``, a malformed hash or an impossible path.
    """

    name: str
    kind: str
    path: Path
    sha256: str
    licence: str
    meta: Mapping[str, Any]
    variants: Mapping[str, ModelFile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise WeightsError(f"model {self.name!r}: kind {self.kind!r} is not one of {', '.join(KINDS)}")
        if not isinstance(self.sha256, str) or not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise WeightsError(f"model {self.name!r}: {self.sha256!r} is not a SHA-256 in lower-case hex")
        if not isinstance(self.licence, str) or not isinstance(self.meta, Mapping):
            raise WeightsError(f"model {self.name!r}: licence must be a string and meta an object")
        if "\0" in str(self.path):
            raise WeightsError(f"model {self.name!r}: {str(self.path)!r} is not a file's name")

    @property
    def left_out(self) -> bool:
        """True if the file is missing because wheels leave it out."""
        in_wheel = self.path.parent == _PLACES[0]
        return in_wheel and self.kind in CLONE_ONLY and not self.path.exists()

    @property
    def precision(self) -> str:
        """Precision of the computation, such as ``fp32`` or ``int8``; by default ``fp32``."""
        return str(self.meta.get("precision", "fp32"))

    def best_for(self, backend: str, flags: Collection[str]) -> ModelFile:
        """Return the variant that suits ``backend`` on a processor with ``flags``, else the model itself."""
        for variant in self.variants.values():
            needed = variant.meta["suits"].get(backend)
            if needed is not None and (not needed or not set(needed).isdisjoint(flags)):
                return variant
        return self

    def in_precision(self, precision: str) -> ModelFile:
        """Return the file of this ``precision``.

        Raises :class:`WeightsError`, with a list of the precisions, if there is none.
        """
        known = {self.precision: self, **self.variants}
        if precision not in known:
            raise WeightsError(
                f"model {self.name!r} has no {precision!r} file: choose one of {', '.join(known)}"
            )
        return known[precision]

    def verified(self) -> Path:
        """Return the path of the file after checking its SHA-256.

        Raises :class:`WeightsError` if the file is missing or differs from the manifest.
        """
        if self.left_out:
            extra = "mediapipe" if self.kind == "mediapipe" else "train"
            raise WeightsError(
                f"{self.path.name} comes with a clone of the repository only: there, {clone_command(extra)}"
            )
        try:
            with self.path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise WeightsError(
                f"weights {self.path} cannot be read ({error.strerror}): {repair_command()}"
            ) from error
        if found != self.sha256:
            raise WeightsError(
                f"weights {self.path} differ from the manifest (sha256 {found[:12]}..., expected "
                f"{self.sha256[:12]}...), the file is damaged or was replaced: {repair_command()}"
            )
        return self.path


def weights_dir() -> Path:
    """Return the folder of the shipped models; raises :class:`WeightsError` if there is none."""
    for place in _PLACES:
        if (place / MANIFEST).is_file():
            return place
    raise WeightsError(f"no {MANIFEST} in {' or '.join(map(str, _PLACES))}: {repair_command()}")


def load_manifest(folder: Path | None = None) -> dict[str, ModelFile]:
    """Read the manifest of ``folder`` (default: the shipped one) and return its entries by model name.

    Raises :class:`WeightsError` if it cannot be read or an entry lacks a field.
    """
    folder = folder or weights_dir()
    path = folder / MANIFEST
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["models"]
        return {name: _entry(folder, name, entry) for name, entry in entries.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(f"manifest {path} cannot be used: {type(error).__name__}: {error}") from error


def find_model(name: str, kind: str, folder: Path | None = None) -> ModelFile:
    """Return the manifest's entry for the model ``name`` of ``kind``.

    Raises :class:`WeightsError`, with a list of the models, if there is none.
    """
    models = load_manifest(folder)
    known = [model.name for model in models.values() if model.kind == kind]
    if name not in known:
        raise WeightsError(f"unknown {kind} model {name!r}: choose one of {', '.join(known) or 'none'}")
    return models[name]


def _entry(folder: Path, name: str, entry: Mapping[str, Any]) -> ModelFile:
    return ModelFile(
        name=name,
        kind=entry["kind"],
        path=folder / _checked_name(name, entry["file"]),
        sha256=entry["sha256"],
        licence=entry["licence"],
        meta=entry.get("meta", {}),
        variants={
            precision: _variant(folder, name, precision, {**entry, **variant})
            for precision, variant in entry.get("variants", {}).items()
        },
    )


def _variant(folder: Path, name: str, precision: str, entry: Mapping[str, Any]) -> ModelFile:
    """Return a variant; ``entry`` is the model's, with file, hash and meta replaced by the variant's."""
    meta = {**entry["meta"], "precision": precision}
    suits = meta["suits"]
    if not all(isinstance(flag, str) for flags in suits.values() for flag in flags):
        raise WeightsError(f"model {name!r}: suits of {precision} must map backends to processor flags")
    path = folder / _checked_name(name, entry["file"])
    return ModelFile(name, entry["kind"], path, entry["sha256"], entry["licence"], meta)


def _checked_name(name: str, file: str) -> str:
    """Return ``file`` if it is a plain file name, so that no manifest can refer to other folders."""
    if file in ("", ".", "..") or not set("/\\:").isdisjoint(file):
        raise WeightsError(f"model {name!r}: {file!r} is not the name of a file beside the manifest")
    return file
