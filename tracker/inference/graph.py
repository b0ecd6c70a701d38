"""ONNX files of one's own: inputs, outputs and metadata, read before a model runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tracker.errors import BackendError, WeightsError
from tracker.inference.sessions import inspect

MOST_BYTES = 1_000_000_000
"""Largest file that is read."""

MOST_METADATA = 1_000_000
"""Largest length of all metadata together, characters."""

FLOATS = ("float32", "float16")
"""Kinds of numbers, besides uint8, that inputs and outputs may have."""

_KINDS = {"float": "float32", "double": "float64"}


@dataclass(frozen=True)
class Tensor:
    """Input or output of a graph: its name, its type as NumPy names it, and its shape.

    Sizes of ``shape`` that are free are None; an empty shape is a number, or not known.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sizes = ", ".join("N" if size is None else str(size) for size in self.shape)
        return f"{self.name} {self.kind} ({sizes})"

    def may_be(self, *shape: int | None) -> bool:
        """Return whether the shape can be ``shape``; None fits any size."""
        if not self.shape:
            return True
        pairs = zip(self.shape, shape, strict=False)
        return len(self.shape) == len(shape) and all(None in pair or pair[0] == pair[1] for pair in pairs)


@dataclass(frozen=True)
class Graph:
    """Inputs, outputs and metadata of an ONNX file, the SHA-256 of its bytes, and their number."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    metadata: Mapping[str, str]
    sha256: str
    size: int

    @property
    def described_outputs(self) -> str:
        """All outputs, with kinds and shapes, as text."""
        return ", ".join(map(str, self.outputs)) or "none"

    def only_input(self, where: str) -> Tensor:
        """Return the only input; WeightsError, with ``where`` in front, if there are several or none."""
        if len(self.inputs) != 1:
            names = ", ".join(map(str, self.inputs)) or "none"
            raise WeightsError(f"{where}: a model must have one input, the picture; this one has {names}")
        return self.inputs[0]

    def takes_one(self, where: str) -> bool:
        """Return whether the model takes one picture at a time; WeightsError if it takes a few together."""
        taken = self.only_input(where)
        count = taken.shape[0] if taken.shape else None
        if count not in (None, 1):
            raise WeightsError(
                f"{where}: input {taken} takes {count} pictures at once, not one or any number"
            )
        return count == 1

    def output_index(self, name: str | None, where: str) -> int:
        """Return the index of the output ``name``, of the first if that is None.

        Raises :class:`~tracker.errors.WeightsError` if there is none, or if it does not hold floats.
        """
        names = [tensor.name for tensor in self.outputs]
        if not names or (name is not None and name not in names):
            raise WeightsError(f"{where} has no output {name or ''}: it has {self.described_outputs}")
        index = 0 if name is None else names.index(name)
        if self.outputs[index].kind not in FLOATS:
            raise WeightsError(f"{where}: output {self.outputs[index]} must be float32 or float16")
        return index


def read_graph(path: Path) -> Graph:
    """Read inputs, outputs and metadata of the ONNX file ``path``.

    Raises :class:`~tracker.errors.WeightsError`, in one line that names the file, if it cannot be read, is no
    ONNX model, is damaged, or has its weights in other files, which its hash would not cover.
    """
    data = read_bytes(path)
    try:
        inputs, outputs, metadata = inspect(data)
    except BackendError as error:
        raise WeightsError(_why_not(path, str(error))) from error
    if sum(len(name) + len(text) for name, text in metadata.items()) > MOST_METADATA:
        raise WeightsError(f"{path} has more than {MOST_METADATA // 1000} kB of metadata: remove it")
    return Graph(
        tuple(map(_tensor, inputs)),
        tuple(map(_tensor, outputs)),
        MappingProxyType(dict(metadata)),
        hashlib.sha256(data).hexdigest(),
        len(data),
    )


def read_bytes(path: Path) -> bytes:
    """Return the bytes of the model file ``path``; WeightsError if it cannot be read or is too large."""
    try:
        if not path.exists():
            raise WeightsError(f"model {path} does not exist: check the path")
        if not path.is_file():
            raise WeightsError(f"model {path} is not a file: give an ONNX file")
        if path.stat().st_size > MOST_BYTES:
            raise WeightsError(f"model {path} has more than {MOST_BYTES // 10**9} GB: give a smaller one")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = getattr(error, "strerror", None) or error
        raise WeightsError(f"model {path} cannot be read: {reason}") from error


def _why_not(path: Path, reason: str) -> str:
    if "xternal data" in reason:
        remedy = "export it as one file, such as with external_data=False of torch.onnx.export"
        return f"model {path} has its weights in another file: {remedy}"
    if "protobuf" in reason.lower():
        return f"model {path} is no ONNX file, or is damaged: export or copy it again"
    return f"model {path} does not open: {reason}"


def _tensor(described: Any) -> Tensor:
    kind = str(described.type).removeprefix("tensor(").removesuffix(")")
    shape = tuple(size if isinstance(size, int) else None for size in described.shape or ())
    return Tensor(described.name, _KINDS.get(kind, kind), shape)
