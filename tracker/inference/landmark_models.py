"""Landmark models by name or by path: the file to run, its scheme, and what else it brings.

A name is that of a shipped model. A path leads to an ONNX file of one's own. Such a file, as ``python -m
export landmarks`` writes it, carries its scheme and more as metadata, two texts in JSON:
:data:`~tracker.scheme.plain.SCHEME_KEY` is a scheme, :data:`MODEL_KEY` a table with ``name``, ``licence``,
``precision``, ``admission``, ``training`` and ``made_with``, each of which may be missing.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tracker.errors import WeightsError
from tracker.geometry import CROP_SIZE
from tracker.inference.description import Description, ModelNotes, notes_path, read_notes
from tracker.inference.graph import Graph, read_graph
from tracker.inference.weights import ModelFile, find_model, load_manifest
from tracker.scheme.fields import Fields, number, text
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.plain import SCHEME_KEY, from_plain
from tracker.scheme.value import Scheme, interned

MODEL_KEY = "tracker.model"
"""Key of the metadata under which a model carries its name, licence, admission and training."""

_ADMISSION = ("bias", "score", "presence", "quality", "size")

UNSTATED = "not stated"
"""Licence of a model that does not tell it."""


@dataclass(frozen=True)
class LandmarkModel:
    """A landmark model: its file, and the scheme of its points.

    A model of one's own has a ``graph``, and ``notes`` if a TOML file lies beside it. ``judge`` is the
    shipped model that tells the presence, if the file says so.
    """

    file: ModelFile
    scheme: Scheme = IBUG68
    graph: Graph | None = None
    notes: ModelNotes | None = None
    judge: ModelFile | None = None

    @property
    def description(self) -> Description | None:
        """Inputs and outputs of a model of another origin, None for the tracker's own."""
        return None if self.notes is None else self.notes.description

    @property
    def hashes(self) -> list[str]:
        """SHA-256 of all files that results depend on, of each precision."""
        files = [self.file.sha256, *(variant.sha256 for variant in self.file.variants.values())]
        return [*files, *self.described_by.values()]

    @property
    def described_by(self) -> dict[str, str]:
        """SHA-256 of the TOML file beside the model, as ``description_sha256``, and of the model of presence.

        Empty if there are none.
        """
        hashes = {} if self.notes is None else {"description_sha256": self.notes.sha256}
        return hashes if self.judge is None else {**hashes, "presence_sha256": self.judge.sha256}


def is_path(name: str) -> bool:
    """Return whether ``name`` is the path of a model: it ends in .onnx, has a separator, or is a file's.

    The name of a shipped model is none, whatever files there are.
    """
    separators = {os.sep, os.altsep or os.sep, "/"}
    if name.lower().endswith(".onnx") or not separators.isdisjoint(name):
        return True
    return "\0" not in name and Path(name).is_file() and name not in load_manifest()


def find_landmark_model(name: str) -> LandmarkModel:
    """Return the shipped landmark model ``name``, or that of the file with this path.

    Raises :class:`~tracker.errors.WeightsError`, in one line: for an unknown name, with those that there are,
    and for a file that cannot be read or breaks the contract, with what was found and expected.
    """
    if not is_path(name):
        return LandmarkModel(find_model(name, "landmarks"))
    return _own_model(Path(name), *file_versions(Path(name)))


def file_versions(path: Path) -> list[tuple[str, int, int] | None]:
    """Return place, size and time of change of a model and its TOML file: a cached answer is of the same."""
    found: list[tuple[str, int, int] | None] = []
    for one in (path, notes_path(path)):
        try:
            stat = one.stat()
            found.append((str(one.absolute()), stat.st_size, stat.st_mtime_ns))
        except (OSError, ValueError):
            found.append(None)
    return found


@lru_cache(maxsize=4)
def _own_model(path: Path, *_: tuple[str, int, int] | None) -> LandmarkModel:
    graph = read_graph(path)
    notes = read_notes(path)
    about = _about(path, graph)
    scheme = _scheme_of(path, graph, notes)
    judge = _judge_of(notes)
    if notes and notes.description:
        check_description(path, graph, notes.description)
    else:
        check_contract(path, graph, scheme, notes)
    meta = {key: value for key, value in about.items() if key not in ("name", "licence")}
    meta |= {"precision": about.get("precision", "")}
    name = (notes and notes.name) or about.get("name") or path.stem
    licence = (notes and notes.licence) or about.get("licence") or UNSTATED
    return LandmarkModel(
        ModelFile(name, "landmarks", path, graph.sha256, licence, meta),
        scheme,
        graph,
        notes,
        judge,
    )


def _judge_of(notes: ModelNotes | None) -> ModelFile | None:
    """Return the shipped model that tells the presence, None if the network does, or nothing."""
    presence = notes.description.presence if notes and notes.description else None
    if notes is None or presence is None or presence.model is None:
        return None
    try:
        return find_model(presence.model, "landmarks")
    except WeightsError as error:
        raise WeightsError(f"{notes.path}: [model.presence]: {error}") from error


def _scheme_of(path: Path, graph: Graph, notes: ModelNotes | None) -> Scheme:
    """Return the scheme of the TOML file, else of the metadata, else iBUG's if its number of points fits."""
    if notes and notes.scheme:
        scheme = notes.scheme
    elif SCHEME_KEY in graph.metadata:
        try:
            scheme = from_plain(_json(path, SCHEME_KEY, graph.metadata[SCHEME_KEY]), f"{path}: {SCHEME_KEY}")
        except ValueError as error:
            raise WeightsError(f"{error}: export the model again, or write {notes_path(path)}") from error
    elif any(output.shape[1:] == (IBUG68.n_points, 2) for output in graph.outputs):
        scheme = IBUG68
    else:
        raise WeightsError(
            f"model {path} does not say what its points are, and has the outputs {graph.described_outputs}: "
            f"describe it in {notes_path(path)}, with a table [scheme]"
        )
    return interned(notes.placed(scheme) if notes else scheme)


def _about(path: Path, graph: Graph) -> dict[str, Any]:
    """Return the table of :data:`MODEL_KEY`, checked; what a model has no need to tell is missing."""
    if MODEL_KEY not in graph.metadata:
        return {}
    where = f"{path}: {MODEL_KEY}"
    try:
        fields = Fields(_json(path, MODEL_KEY, graph.metadata[MODEL_KEY]), where)
        names = ("name", "licence", "precision", "made_with")
        about: dict[str, Any] = {name: fields.optional(name, text) for name in names}
        if training := fields.table("training"):
            about["training"] = training.plain
        if admission := fields.table("admission"):
            about["admission"] = _told({name: admission.optional(name, number) for name in _ADMISSION})
            admission.end()
    except ValueError as error:
        raise WeightsError(f"{error}: export the model again") from error
    return _told(about)


def _told(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _json(path: Path, key: str, content: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {key} in its metadata is no JSON") from error


def check_description(path: Path, graph: Graph, description: Description) -> None:
    """Check that the inputs and outputs of a model can be those of its ``description``.

    Raises :class:`~tracker.errors.WeightsError` with what was found and expected.
    """
    where = f"model {path}"
    description.picture.kind_for(graph, where)
    graph.takes_one(where)
    graph.output_index(description.points.output, where)
    if description.presence and description.presence.output:
        graph.output_index(description.presence.output, where)


def check_contract(path: Path, graph: Graph, scheme: Scheme, notes: ModelNotes | None = None) -> None:
    """Check inputs and outputs of a model without a description against :mod:`tracker.inference.landmarker`.

    Raises :class:`~tracker.errors.WeightsError` with what was found and expected, and what to do.
    """
    told = notes and notes.scheme
    remedy = (
        f"correct {notes_path(path)}" if told else f"export it again, or describe it in {notes_path(path)}"
    )
    taken = graph.only_input(f"model {path}")
    crop = (None, 1, CROP_SIZE, CROP_SIZE)
    if taken.kind != "uint8" or not taken.may_be(*crop) or isinstance((taken.shape or (None,))[0], int):
        side = CROP_SIZE
        raise WeightsError(f"model {path}: input {taken} is not uint8 (N, 1, {side}, {side}): {remedy}")
    n_points = scheme.n_points
    expected = [("points", (None, n_points, 2)), ("presence", (None,)), ("quality", (None, n_points))]
    if not 2 <= len(graph.outputs) <= 3:
        found = graph.described_outputs
        raise WeightsError(
            f"model {path} has the outputs {found}, not points, presence and perhaps quality: {remedy}"
        )
    for output, (what, shape) in zip(graph.outputs, expected, strict=False):
        if not output.may_be(*shape) or output.kind != "float32":
            sizes = ", ".join("N" if size is None else str(size) for size in shape)
            wanted = f"({sizes}{',' if len(shape) == 1 else ''})"
            raise WeightsError(
                f"model {path}: output {output} is not the {what} of {scheme}, float32 {wanted}: {remedy}"
            )
