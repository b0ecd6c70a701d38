"""Export of study networks, which the tracker does not run, as float16 safetensors."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from export.landmarks import noise_crops
from export.manifest import write_entry
from tracker.errors import WeightsError
from train.files import make_folder, replacing
from train.models.imm import imm_spec
from train.models.load import load_network

LICENCE = "research use: trained on 300-W, WFLW and the IMM Face Database, whose terms apply"
ROUNDING_SIDES = 1e-3
"""Largest allowed shift of a point by rounding, in crop sides: two thirds of a pixel of 640x480."""

_PICTURES = 32


def write_study(checkpoint: Path, name: str, folder: Path) -> float:
    """Store the network ``name`` of ``checkpoint`` as float16 and enter it into the manifest of ``folder``.

    Returns the largest shift of a point, in crop sides, that the rounding caused on noise pictures. Raises
    :class:`~train.errors.RunError` if the checkpoint does not hold that network, and
    :class:`~tracker.errors.WeightsError`, with ``folder`` left unchanged, if points shift too far.
    """
    imm_spec(name)  # raises for other networks
    exact = load_network(name, checkpoint)
    make_folder(folder)
    path = folder / f"{name}.safetensors"
    with replacing(path) as draft:
        half = {key: tensor.half().contiguous() for key, tensor in exact.network.state_dict().items()}
        save_file(half, draft, metadata={"size": str(exact.size)})
        pictures = torch.from_numpy(noise_crops(_PICTURES, hw=(exact.size * 3 // 4, exact.size))[:, None])
        with torch.inference_mode():
            moved = exact.network(pictures).points - load_network(name, draft).network(pictures).points
        largest = float(moved.abs().max())
        if not largest <= ROUNDING_SIDES:
            raise WeightsError(f"{name}: float16 moves a point by {largest:.5f} of the crop's side")
    write_entry(folder, name, "study", path.name, LICENCE, {"precision": "fp16"})
    return largest
