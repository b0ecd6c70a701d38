"""Checkpoints of training runs: replaced atomically after each epoch, and checked when loaded."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning_fabric
from torch.optim.swa_utils import AveragedModel

from train.config import TrainConfig
from train.errors import RunError
from train.models.run_checkpoint import UNREADABLE, VERSION
from train.training.folder import another
from train.training.record import difference, recipe_text


@dataclass
class Run:
    """A model in training with the complete state that a checkpoint holds.

    ``rows`` are those of the log so far: what is written of them can be written again.
    """

    config: TrainConfig
    model: Any
    averaged: AveragedModel
    optimizer: Any
    data: str
    epoch: int = 0
    elapsed_s: float = 0.0
    rows: list[dict[str, float]] = field(default_factory=list)

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

        Raises :class:`RunError` if it is damaged, of another version of this program, or was made by another
        configuration or from other pictures. The source of the initial weights (``init``) may differ.
        """
        other = f"choose another folder, such as {another(path.parent)}"
        try:
            if not zipfile.is_zipfile(path):  # torch would read it as its older, pickled format
                raise ValueError("not an archive")
            state = fabric.load(path, weights_only=True)
        except UNREADABLE as error:
            raise RunError(f"{path} is not a readable checkpoint: {other}, or delete it") from error
        if not isinstance(state, dict) or state.keys() != self._state().keys():
            earlier = isinstance(state, dict) and {"config", "data", "averaged"} <= state.keys()
            whose = "of another version of this program" if earlier else "not a checkpoint of this program"
            raise RunError(f"{path} is {whose}: {other}")
        if state["version"] != VERSION:
            raise RunError(f"{path} is of another version of this program: {other}")
        if differs := difference(state["config"], recipe_text(self.config)):
            raise RunError(f"{path} was made with another configuration ({differs}): {other}")
        if state["data"] != self.data:
            raise RunError(f"{path} was trained on other pictures (--data, --limit): {other}")
        try:
            self.model.load_state_dict(state["model"])
            self.averaged.load_state_dict(state["averaged"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise RunError(f"{path} holds another network: {other}") from error
        self.epoch, self.elapsed_s, self.rows = state["epoch"], state["elapsed_s"], state["rows"]

    def _state(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "config": recipe_text(self.config),
            "data": self.data,
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "elapsed_s": self.elapsed_s,
            "rows": self.rows,
        }
