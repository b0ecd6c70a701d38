"""The shipped models: found through a manifest, believed only when their hash is right."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracker.errors import WeightsError

MANIFEST = "manifest.json"
KINDS = ("landmarks", "detector", "study")
"""The tracker runs the first two; study networks are for the training side, in its own format."""

_PACKAGE = Path(__file__).resolve().parents[1]
# An installed wheel carries the models inside the package, a clone beside it.
_PLACES = (_PACKAGE / "_weights", _PACKAGE.parent / "weights")


@dataclass(frozen=True)
class ModelFile:
    """One entry of the manifest: a model's name, what it is for, its file and that file's hash.

    ``meta`` holds what a model of its kind needs besides the graph (a detector's box correction)
    and what was measured of it (``nme_percent``). ``variants`` are the same model in other precisions, by
    precision; the ``suits`` of a variant's ``meta`` maps each backend that it is better on to the processor
    flags of which it needs one (none: it is better on any). Raises :class:`WeightsError` for an unknown
    ``kind``, a hash that is none, or a path that no file can have.
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
    def precision(self) -> str:
        """What the file computes in, such as ``fp32`` or ``int8``; ``fp32`` if the manifest does not say."""
        return str(self.meta.get("precision", "fp32"))

    def best_for(self, backend: str, flags: Collection[str]) -> ModelFile:
        """The variant that suits ``backend`` on a processor with ``flags``, else the model itself."""
        for variant in self.variants.values():
            needed = variant.meta["suits"].get(backend)
            if needed is not None and (not needed or not set(needed).isdisjoint(flags)):
                return variant
        return self

    def in_precision(self, precision: str) -> ModelFile:
        """The model itself or its variant. Raises :class:`WeightsError` and lists those there are."""
        known = {self.precision: self, **self.variants}
        if precision not in known:
            raise WeightsError(
                f"model {self.name!r} has no {precision!r} file: choose one of {', '.join(known)}"
            )
        return known[precision]

    def verified(self) -> Path:
        """The file's path, after comparing its SHA-256 with the manifest's.

        Raises :class:`WeightsError` if the file is missing or differs.
        """
        try:
            with self.path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise WeightsError(
                f"weights {self.path} cannot be read ({error.strerror}): reinstall tracker"
            ) from error
        if found != self.sha256:
            raise WeightsError(
                f"weights {self.path} differ from the manifest (sha256 {found[:12]}..., expected "
                f"{self.sha256[:12]}...): the file is damaged or was replaced; reinstall tracker"
            )
        return self.path


def weights_dir() -> Path:
    """Where the shipped models lie. Raises :class:`WeightsError` if they are nowhere."""
    for place in _PLACES:
        if (place / MANIFEST).is_file():
            return place
    raise WeightsError(f"no {MANIFEST} in {' or '.join(map(str, _PLACES))}: reinstall tracker")


def load_manifest(folder: Path | None = None) -> dict[str, ModelFile]:
    """Read the manifest of ``folder`` (default: the shipped one): model name to entry.

    Raises :class:`WeightsError` when it cannot be read or an entry lacks a field.
    """
    folder = folder or weights_dir()
    path = folder / MANIFEST
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["models"]
        return {name: _entry(folder, name, entry) for name, entry in entries.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(f"manifest {path} cannot be used: {type(error).__name__}: {error}") from error


def find_model(name: str, kind: str, folder: Path | None = None) -> ModelFile:
    """The manifest's entry for the model ``name`` of ``kind``.

    Raises :class:`WeightsError` and lists the models there are when it has none.
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
        path=folder / _plain(name, entry["file"]),
        sha256=entry["sha256"],
        licence=entry["licence"],
        meta=entry.get("meta", {}),
        variants={
            precision: _variant(folder, name, precision, {**entry, **variant})
            for precision, variant in entry.get("variants", {}).items()
        },
    )


def _variant(folder: Path, name: str, precision: str, entry: Mapping[str, Any]) -> ModelFile:
    """``entry`` is the model's, with the variant's own file, hash and meta in place of its own."""
    meta = {**entry["meta"], "precision": precision}
    suits = meta["suits"]
    if not all(isinstance(flag, str) for flags in suits.values() for flag in flags):
        raise WeightsError(f"model {name!r}: suits of {precision} must map backends to processor flags")
    path = folder / _plain(name, entry["file"])
    return ModelFile(name, entry["kind"], path, entry["sha256"], entry["licence"], meta)


def _plain(name: str, file: str) -> str:
    """``file`` if it names one beside the manifest, which decides on no other file of the computer."""
    if file in ("", ".", "..") or not set("/\\:").isdisjoint(file):
        raise WeightsError(f"model {name!r}: {file!r} is not the name of a file beside the manifest")
    return file
