"""State of a tracker: everything that the next frame's result depends on, exact to the last bit."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from tracker.tracking.scene_cuts import CutDetector
from tracker.tracking.search import Search
from tracker.tracking.track import Track


@dataclass
class TrackerState:
    """Tracks of a video and what is known of its last frame.

    ``last_id`` is the highest id given to a face so far, ``frames_since_detection`` counts frames since the
    detector last saw a whole picture.
    """

    tracks: list[Track] = field(default_factory=list)
    last_id: int = 0
    frames_since_detection: int = 0
    search: Search = field(default_factory=Search)
    cuts: CutDetector = field(default_factory=CutDetector)

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON-compatible data; arrays are base64 text of their bytes."""
        return {name: _encode(value) for name, value in _values(self)}

    @classmethod
    def from_json(cls, data: Any) -> TrackerState:
        """Return the state that :meth:`to_json` made ``data`` of.

        Only the classes that appear in the type hints of a state are made. Raises ``ValueError`` for anything
        else than the output of :meth:`to_json`.
        """
        try:
            state = _decode(cls, data)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"no memory of a tracker: {type(error).__name__}: {error}") from error
        assert isinstance(state, cls)
        return state


def _values(instance: Any) -> list[tuple[str, Any]]:
    return [(one.name, getattr(instance, one.name)) for one in fields(instance)]


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        data = base64.b64encode(value.tobytes()).decode("ascii")
        return {"array": data, "type": value.dtype.str, "shape": list(value.shape)}
    if is_dataclass(value):
        return {name: _encode(item) for name, item in _values(value)}
    if isinstance(value, list | tuple):
        return [_encode(item) for item in value]
    return value


def _decode(kind: Any, data: Any) -> Any:
    """Return ``data`` as a value of the type ``kind``, the hint of a dataclass's field."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (some,) = (part for part in parts if part is not NoneType)
        return None if data is None else _decode(some, data)
    if origin is np.ndarray:
        return _decode_array(data)
    if origin is list:
        return [_decode(parts[0], item) for item in _checked(list, data)]
    if origin is tuple:
        return tuple(_decode(part, item) for part, item in zip(parts, _checked(list, data), strict=True))
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        if _checked(dict, data).keys() != hints.keys():
            raise ValueError(f"fields of {kind} are {', '.join(hints)}, got {', '.join(data)}")
        values = {name: _decode(hint, data[name]) for name, hint in hints.items()}
        return kind(**values)
    return _checked(kind, data)


def _checked(kind: type, data: Any) -> Any:
    if type(data) is not kind and not (kind is float and type(data) is int):
        raise TypeError(f"expected {kind.__name__}, got {type(data).__name__}")
    return data


def _decode_array(data: Any) -> np.ndarray[Any, Any]:
    dtype = np.dtype(data["type"])
    if dtype.kind not in "bifc":
        raise ValueError(f"an array of {dtype} is none of a tracker's state")
    values = np.frombuffer(base64.b64decode(data["array"], validate=True), dtype)
    return values.reshape(data["shape"]).copy()
