"""One training run, from a configuration to a file of weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import lightning_fabric
import torch
from safetensors import SafetensorError
from safetensors.torch import save
from torch import nn

from train.config import TrainConfig
from train.errors import RunError, in_short
from train.files import replacing, to_json
from train.training.failures import ending_together
from train.training.folder import alone_in
from train.training.loop import train
from train.training.options import RunOptions
from train.training.record import read_record
from train.training.task import Task


def run_training(
    config: TrainConfig,
    build: Callable[[], nn.Module],
    task: Task,
    options: RunOptions,
) -> Path | None:
    """Train the network that ``build`` returns and write its weights to ``out/MODEL.safetensors``.

    Runs on the CPU, on GPUs or on several machines, as ``options`` specify. Returns the weights' path on the
    first process and None on the others. Raises as :func:`train.training.loop.train` does, and
    :class:`RunError` if another run is writing to ``out``, or if the weights cannot be written; an error of
    one process ends all that it started.
    """
    precision = resolve_precision(config.precision)
    fabric = lightning_fabric.Fabric(
        devices=options.devices, num_nodes=options.num_nodes, precision=precision
    )
    fabric.launch()
    if options.threads:  # after launching, which divides the cores among the processes
        torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark = True  # all batches of a stage have the same shape
    # Seeds the initial weights only: sampling and augmentation use generators of their own.
    fabric.seed_everything(config.seed, verbose=False)
    with ending_together(fabric):
        network = build()  # before the folder is made, which a run that cannot begin does not leave behind
        with alone_in(options.out, fabric):
            averaged = train(config, network, task, options, fabric)
            path = options.out / f"{config.model}.safetensors"
            if not fabric.is_global_zero:
                return None
            write_weights(averaged, config.stages[-1].size, path, read_record(options.out))
    return path


def resolve_precision(
    precision: Literal["auto", "32-true", "bf16-mixed"],
) -> Literal["32-true", "bf16-mixed"]:
    """Replace ``"auto"`` by bfloat16 where the hardware computes in it, else by float32.

    A CPU that only emulates bfloat16 is ten times slower with it than without.
    """
    if precision != "auto":
        return precision
    if torch.cuda.is_available():
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        capabilities = torch.cpu.get_capabilities()
        native = any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_tile"))
    return "bf16-mixed" if native else "32-true"


def write_weights(model: nn.Module, size: int, path: Path, record: Mapping[str, Any] | None = None) -> None:
    """Write the state dict of ``model`` to the safetensors file ``path``.

    The metadata hold ``size``, the crop size in pixels of the last training stage, and as ``run`` the
    ``record`` of the run as JSON. Raises :class:`RunError` if the file cannot be written.
    """
    metadata = {"size": str(size)} | ({"run": to_json(record)} if record else {})
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    try:
        with replacing(path) as draft:
            draft.write_bytes(_ordered(save(weights, metadata=metadata)))
    except (OSError, SafetensorError) as error:
        raise RunError(
            f"{path} cannot be written: {in_short(error)}; make room, then go on with --resume"
        ) from error


def _ordered(content: bytes) -> bytes:
    """Return a safetensors file with its metadata in order: the library writes them in another each time.

    The file is the length of the header, eight bytes, the header as JSON, padded by spaces, and the tensors.
    """
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[8 + length :]
