"""Checkpoints of training runs: replaced atomically after each epoch, and checked when loaded."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightning_fabric
from torch.optim.swa_utils import AveragedModel

from train.config import TrainConfig
from train.errors import RunError

LAST = "last.ckpt"

# Exceptions of torch.load for an archive that is truncated or overwritten.
_UNREADABLE = (OSError, RuntimeError, EOFError, ValueError, LookupError, TypeError, pickle.UnpicklingError)


@dataclass
class Run:
    """A model in training with the complete state that a checkpoint holds."""

    config: TrainConfig
    model: Any
    averaged: AveragedModel
    optimizer: Any
    data: str
    epoch: int = 0
    elapsed_s: float = 0.0

    def save(self, path: Path, fabric: lightning_fabric.Fabric) -> None:
        """Replace ``path`` atomically; on any failure the previous checkpoint stays intact.

        Raises :class:`RunError` if it cannot be written.
        """
        part = path.with_name(f"{path.name}.part")
        try:
            fabric.save(part, self._state())
            if fabric.is_global_zero:
                part.replace(path)
        except (OSError, RuntimeError) as error:
            part.unlink(missing_ok=True)
            reason = str(error).partition("\n")[0]
            raise RunError(
                f"{path} cannot be written: {reason}; make room, then go on with --resume"
            ) from error

    def load(self, path: Path, fabric: lightning_fabric.Fabric) -> None:
        """Restore the state from the checkpoint ``path``.

        Raises :class:`RunError` if it is damaged, or was made by another configuration or from other
        pictures. The source of the initial weights (``init``) may differ.
        """
        try:
            if not zipfile.is_zipfile(path):  # torch would read it as its older, pickled format
                raise ValueError("not an archive")
            state = fabric.load(path, weights_only=True)
        except _UNREADABLE as error:
            raise RunError(
                f"{path} is not a readable checkpoint: choose another --out, or delete it"
            ) from error
        if not isinstance(state, dict) or state.keys() != self._state().keys():
            raise RunError(f"{path} is not a checkpoint of this program: choose another --out")
        if state["config"] != self._settings:
            raise RunError(f"{path} was made with another configuration: choose another --out")
        if state["data"] != self.data:
            raise RunError(f"{path} was trained on other pictures (--data, --limit): choose another --out")
        try:
            self.model.load_state_dict(state["model"])
            self.averaged.load_state_dict(state["averaged"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise RunError(f"{path} holds another network: choose another --out") from error
        self.epoch, self.elapsed_s = state["epoch"], state["elapsed_s"]

    @property
    def _settings(self) -> str:
        return repr(replace(self.config, init=""))

    def _state(self) -> dict[str, Any]:
        return {
            "config": self._settings,
            "data": self.data,
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "elapsed_s": self.elapsed_s,
        }
