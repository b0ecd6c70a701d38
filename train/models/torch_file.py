"""Reading of weights that torch wrote: a state dict, plain or wrapped by the program that saved it."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor

SUFFIXES = (".pt", ".pth")

_WRAPPERS = ("state_dict", "model")
_PREFIX = "module."  # of networks that were trained in torch's DataParallel


def read_torch(path: Path) -> dict[str, Tensor]:
    """Return the tensors of the state dict in ``path``, by name.

    Only tensors are read, never code: a pickle can run anything when it is loaded. Raises ``ValueError`` if
    the file holds something else, ``OSError`` if it cannot be read.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError, UnpicklingError) as error:
        raise ValueError(
            "it is damaged or holds more than tensors; save the network's state_dict() alone"
        ) from error
    return unwrapped(content)


def unwrapped(content: object) -> dict[str, Tensor]:
    """Return the tensors of a state dict that may be wrapped: ``{"state_dict": ...}``, ``{"model": ...}``.

    A prefix ``module.`` that all names share is removed. Raises ``ValueError`` if ``content`` holds no state
    dict.
    """
    while isinstance(content, dict) and (inner := [content[key] for key in _WRAPPERS if key in content]):
        content = inner[0]
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__} instead of a state dict")
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    if not tensors:
        raise ValueError("it holds no tensors")
    while all(name.startswith(_PREFIX) for name in tensors):
        tensors = {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items()}
    return tensors
