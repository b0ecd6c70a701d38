"""From a configuration to a file of weights: what every training command does."""

from __future__ import annotations

import importlib
import runpy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import lightning_fabric
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from train.config import TrainConfig
from train.errors import RunError
from train.files import replacing
from train.training.checkpoint import LAST
from train.training.loop import train
from train.training.task import Task


@dataclass(frozen=True)
class RunOptions:
    """What the command line says of a run beside its recipe."""

    out: Path
    resume: bool = False
    devices: int = 1
    num_nodes: int = 1
    threads: int = 0
    workers: int = 0

    @property
    def goes_on(self) -> bool:
        """Whether a checkpoint will be loaded, so that first weights do not matter."""
        return self.resume and (self.out / LAST).is_file()


def run_training(
    config: TrainConfig,
    build: Callable[[], nn.Module],
    task: Task,
    options: RunOptions,
) -> Path | None:
    """Train what ``build`` makes, on CPU, GPU or several machines, and write ``out/MODEL.safetensors``.

    Returns its path, on the first process only. Raises as :func:`train.training.loop.train` does, and
    :class:`RunError` if the weights cannot be written.
    """
    precision = resolve_precision(config.precision)
    fabric = lightning_fabric.Fabric(
        devices=options.devices, num_nodes=options.num_nodes, precision=precision
    )
    fabric.launch()
    if options.threads:  # after launching, which divides the cores among the processes
        torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark = True  # a stage's batches are all of one shape
    fabric.seed_everything(config.seed, verbose=False)  # for the initial weights; all else has its own
    model = build()
    averaged = train(config, model, task, options.out, fabric, options.resume, options.workers)
    path = options.out / f"{config.model}.safetensors"
    if not fabric.is_global_zero:
        return None
    write_weights(averaged, config.stages[-1].size, path)
    return path


def resolve_precision(
    precision: Literal["auto", "32-true", "bf16-mixed"],
) -> Literal["32-true", "bf16-mixed"]:
    """``"auto"`` becomes bfloat16 where the hardware computes in it, else float32.

    A CPU that only emulates bfloat16 is ten times slower with it than without.
    """
    if precision != "auto":
        return precision
    if torch.cuda.is_available():
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if native else "32-true"


def shipped_config(model: str) -> TrainConfig:
    """The recipe of ``model`` in ``train/configs``."""
    config = importlib.import_module(f"train.configs.{model.replace('-', '_')}").CONFIG
    assert isinstance(config, TrainConfig)
    return config


def recipe(model: str, file: Path | None, epochs: int) -> TrainConfig:
    """The recipe in ``file``, else that shipped for ``model``; stages cut to ``epochs`` (0: as they are)."""
    return shortened(load_config(file) if file else shipped_config(model), epochs)


def load_config(path: Path) -> TrainConfig:
    """The ``CONFIG`` that the Python file ``path`` sets. Raises :class:`RunError` if it sets none."""
    try:
        config = runpy.run_path(str(path)).get("CONFIG")
    except Exception as error:  # it is the user's program, and may fail in any way
        raise RunError(f"--config {path} does not run: {type(error).__name__}: {error}") from error
    if not isinstance(config, TrainConfig):
        raise RunError(f"--config {path} sets no CONFIG that is a train.config.TrainConfig")
    return config


def shortened(config: TrainConfig, epochs: int) -> TrainConfig:
    """``config`` with each stage cut to ``epochs`` (0: as it is)."""
    if not epochs:
        return config
    return replace(config, stages=tuple(replace(s, epochs=min(s.epochs, epochs)) for s in config.stages))


def write_weights(model: nn.Module, size: int, path: Path) -> None:
    """The weights, and the crop size in pixels that the network was trained to see last."""
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    try:
        with replacing(path) as draft:
            save_file(weights, draft, metadata={"size": str(size)})
    except (OSError, SafetensorError) as error:
        raise RunError(f"{path} cannot be written: {error}; make room, then go on with --resume") from error
