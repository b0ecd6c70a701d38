"""Import of torchvision, even beside a torch build whose custom operators it does not match.

torchvision registers fake implementations of its compiled operators ``nms`` and ``qnms`` at import, which
fails if its binary extension does not load. Nothing here calls them: declaring their schemas is enough for
models and transforms to work. That is done only after a plain import has failed.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_kept_alive: list[torch.library.Library] = []


def import_models() -> ModuleType:
    """Import and return ``torchvision.models``."""
    try:
        return importlib.import_module("torchvision.models")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            library.define(name + _SCHEMA)  # type: ignore[no-untyped-call]
        _kept_alive.append(library)
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        return importlib.import_module("torchvision.models")
