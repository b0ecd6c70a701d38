"""Single values of a recipe, set from text such as ``recipe.photometry.blur=0.3``."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from train.config import TrainConfig
from train.errors import RunError


def with_values(config: TrainConfig, settings: Sequence[str]) -> TrainConfig:
    """Return ``config`` with each of ``settings``, ``KEY=VALUE``, in turn.

    A key is a path of fields and, in tuples, of numbers from 0: ``stages.0.peak_lr``. Numbers, texts and
    lists of texts (``stages.0.sets=lfpw,helen``) can be set; what else a recipe holds needs a file. Raises
    :class:`RunError`, which names the fields there are, for a key that is not in the recipe, and for a value
    of another type or out of range.
    """
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise RunError(f"--set {setting} has no value: write it as --set batch_size=16")
        config = _set(config, key.strip().split("."), text.strip(), f"--set {setting}")
    return config


def _set(holder: Any, path: Sequence[str], text: str, asked: str) -> Any:
    """Return ``holder`` with the value at ``path`` below it replaced by what ``text`` says."""
    if not path:
        return _parsed(holder, text, asked)
    name, rest = path[0], path[1:]
    if isinstance(holder, Mapping):
        return {**holder, name: _set(holder.get(name, 1), rest, text, asked)}
    if isinstance(holder, tuple):
        if not name.isdecimal() or int(name) >= len(holder):
            raise RunError(f"{asked}: there is no {name!r} among {len(holder)}: count from 0")
        place = int(name)
        return (*holder[:place], _set(holder[place], rest, text, asked), *holder[place + 1 :])
    if not is_dataclass(holder):
        raise RunError(f"{asked}: nothing is below {type(holder).__name__}: leave out .{'.'.join(path)}")
    known = [field.name for field in fields(holder)]
    if name not in known:
        raise RunError(f"{asked}: there is no {name!r}: choose one of {', '.join(known)}")
    return replace(holder, **{name: _set(getattr(holder, name), rest, text, asked)})  # type: ignore[type-var]


def _parsed(now: object, text: str, asked: str) -> object:
    """Return ``text`` as a value of the type of ``now``."""
    if is_dataclass(now):
        known = ", ".join(field.name for field in fields(now))
        raise RunError(f"{asked}: set one of its fields, after a dot: {known}")
    if isinstance(now, str):
        return text
    if isinstance(now, tuple) and all(isinstance(part, str) for part in now):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if isinstance(now, bool) or not isinstance(now, int | float):
        raise RunError(f"{asked}: this is no number or text: set it in a file for --config")
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = None
    wanted = int if isinstance(now, int) else (int, float)
    if isinstance(value, bool) or not isinstance(value, wanted):
        raise RunError(f"{asked}: expected {'a whole number' if wanted is int else 'a number'}, got {text!r}")
    return type(now)(value)
