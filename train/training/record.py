"""Record of a run: recipe, commands, versions, data. It is config.json and part of the weights' metadata."""

from __future__ import annotations

import datetime
import functools
import inspect
import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

import lightning_fabric
import torch

from tracker.distribution import installed
from train.config import TrainConfig
from train.errors import RunError
from train.files import replace as replace_file
from train.files import to_json
from train.training.task import Task

CONFIG = "config.json"
KIND = "training run"
"""Value of ``kind`` in the record, by which a run knows a folder that another run made."""

_PACKAGES = ("torch", "torchvision", "lightning-fabric", "numpy", "opencv-python-headless", "opencv-python")
_ROOT = Path(__file__).resolve().parents[2]


def describe(value: object) -> Any:
    """Return ``value`` as JSON, equal for equal recipes in every process.

    A function is described by its name, so that it is the same at every address; a lambda, which has no name,
    by its source. An object that does not describe itself is its class and its attributes.
    """
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {"class": type(value).__name__} | {
            field.name: describe(getattr(value, field.name)) for field in fields(value)
        }
    if isinstance(value, Mapping):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [describe(item) for item in value]
        return sorted(items, key=str) if isinstance(value, set | frozenset) else items
    if isinstance(value, functools.partial):
        return {
            "partial": describe(value.func),
            "args": describe(value.args),
            "with": describe(value.keywords),
        }
    if isinstance(value, MethodType):
        return {"method": value.__func__.__qualname__, "of": describe(value.__self__)}
    if isinstance(value, FunctionType | type):
        return _source(value) if value.__name__ == "<lambda>" else value.__qualname__
    if type(value).__repr__ is object.__repr__:
        return {"class": type(value).__qualname__} | describe(getattr(value, "__dict__", {}))
    return repr(value)


def _source(function: object) -> str:
    """Return the source of a lambda: the text of the statement that holds it."""
    try:
        return " ".join(inspect.getsource(function).split())  # type: ignore[arg-type]
    except OSError as error:
        raise RunError(
            "a lambda without source in the recipe cannot be compared: write it with def"
        ) from error


def recipe_text(config: TrainConfig) -> str:
    """Return what a resumed run must have in common with its first part: all but the initial weights."""
    return json.dumps(describe(replace(config, init="")), sort_keys=True)


def difference(before: str, now: str) -> str:
    """Return the first difference between two texts of :func:`recipe_text`; empty if there is none."""
    first, second = (dict(_leaves(json.loads(text))) for text in (before, now))
    for key in sorted(first.keys() | second.keys()):
        if first.get(key) != second.get(key):
            return f"{key} {first.get(key, 'missing')}, now {second.get(key, 'missing')}"
    return ""


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not items:
        yield path, value
    for key, item in items:
        yield from _leaves(item, f"{path}.{key}" if path else str(key))


def new_record(config: TrainConfig, task: Task) -> dict[str, Any]:
    """Return the record of a run that has not begun, JSON throughout."""
    return {
        "kind": KIND,
        "model": config.model,
        "recipe": describe(config),
        "seed": config.seed,
        "data": {
            "training": dict(task.counts) or task.training,
            "validation": task.validation,
            "sha256_of_names_and_labels": task.data,
        },
        "sessions": [],
        **task.about,
    }


def session(fabric: lightning_fabric.Fabric, epoch: int) -> dict[str, Any]:
    """Return what is to be known of this process, which goes on after ``epoch`` epochs."""
    commit, changed = _commit()
    return {
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "after_epoch": epoch,
        "command": shlex.join(sys.orig_argv),
        "commit": commit,
        "uncommitted_changes": changed,
        "versions": {"python": platform.python_version(), **installed(_PACKAGES)},
        "machine": {
            "system": platform.platform(),
            "device": _device_name(fabric.device),
            "devices": fabric.world_size,
            "precision": fabric.strategy.precision.precision,
            "threads": torch.get_num_threads(),
        },
    }


def read_record(out: Path) -> dict[str, Any] | None:
    """Return the record in the folder ``out``; None if there is none that a run wrote."""
    try:
        record = json.loads((out / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("kind") == KIND else None


def write_record(out: Path, record: Mapping[str, Any]) -> None:
    """Replace the record in the folder ``out``.

    Raises :class:`RunError` if it cannot be written.
    """
    replace_file(out / CONFIG, to_json(record).encode())


def _commit() -> tuple[str | None, bool | None]:
    """Return the commit of this source and whether files differ from it; None outside of a repository."""
    if not (_ROOT / ".git").exists():
        return None, None
    try:
        head, changes = (
            subprocess.run(
                ["git", "-C", str(_ROOT), *words], capture_output=True, text=True, timeout=10, check=True
            ).stdout.strip()
            for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.SubprocessError):  # no git, or a repository that it does not trust
        return None, None
    return head, bool(changes)


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or "cpu"
