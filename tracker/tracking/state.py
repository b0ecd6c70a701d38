"""What a tracker remembers, as plain data for a file and back: exact to the last bit.

Only the classes named here can be made from such data: a file cannot have anything else run.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from tracker.geometry import CropTransform
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.measures.blinks import Blink, BlinkCounter, BlinkSettings
from tracker.tracking.scene_cuts import CutDetector
from tracker.tracking.search import Search
from tracker.tracking.smoothing import OneEuro, PointFilter
from tracker.tracking.track import Track
from tracker.types import Landmarks

_CLASSES: Mapping[str, type[Any]] = {
    cls.__name__: cls
    for cls in (
        *(Blink, BlinkCounter, BlinkSettings, CropTransform, CutDetector),
        *(Landmarks, OneEuro, PointFilter, Search, Track),
    )
}

_MEMORY = ("_tracks", "_last_id", "_frames_since_detection", "_search", "_is_cut")


def remember(tracker: FaceTracker) -> dict[str, Any]:
    """Everything that the next ``FaceTracker.step`` depends on, as JSON-compatible data."""
    return {name: _pack(getattr(tracker, name)) for name in _MEMORY}


def recall(tracker: FaceTracker, memory: Mapping[str, Any]) -> None:
    """Bring ``tracker`` where another one was when it made ``memory``; both are to be opened alike.

    Raises ``ValueError`` for anything that :func:`remember` does not make.
    """
    try:
        values = {name: _unpack(memory[name]) for name in _MEMORY}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"no memory of a tracker: {type(error).__name__}: {error}") from error
    for name, value in values.items():
        setattr(tracker, name, value)


def _pack(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        data = base64.b64encode(array.tobytes()).decode("ascii")
        return {"array": data, "type": array.dtype.str, "shape": list(array.shape)}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is list:
        return [_pack(item) for item in value]
    if type(value) is tuple:
        return {"tuple": [_pack(item) for item in value]}
    if _CLASSES.get(type(value).__name__) is type(value):
        return {"object": type(value).__name__, "has": {k: _pack(v) for k, v in vars(value).items()}}
    raise TypeError(f"a tracker's memory does not hold {type(value).__name__}")


def _unpack(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpack(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        data = base64.b64decode(value["array"], validate=True)
        array = np.frombuffer(data, np.dtype(value["type"])).reshape(value["shape"])
        return array.copy() if value["shape"] else array[()]
    if "tuple" in value:
        return tuple(_unpack(item) for item in value["tuple"])
    made = object.__new__(_CLASSES[value["object"]])
    vars(made).update({name: _unpack(item) for name, item in value["has"].items()})
    return made
