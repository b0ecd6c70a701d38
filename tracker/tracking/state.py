"""State of a tracker: all that the results of the next frames depend on, exact to the last bit.

The scheme of the landmarks is that of the tracker's model, and is not written with the rest.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.tracking.scene_cuts import CutDetector
from tracker.tracking.search import Search
from tracker.tracking.sighting import Sighting
from tracker.tracking.track import Track

_DTYPES = frozenset(np.dtype(kind).str for kind in (bool, np.uint8, "i4", "i8", "f4", "f8", "c8", "c16"))
"""Types of the arrays in a state, as NumPy writes them here."""


@dataclass(eq=False)
class TrackerState:
    """Tracks of a video, and what is kept of the frames before.

    ``last_id`` is the highest id that a face got so far; ``frames`` counts the frames of the
    video, ``frames_since_detection`` those since the detector last looked at the whole picture; None before
    it has looked at this scene. ``left_out`` counts the faces that it saw since then and that had no slot, at
    most in one frame.
    """

    tracks: list[Track] = field(default_factory=list)
    last_id: int = 0
    frames: int = 0
    frames_since_detection: int | None = None
    left_out: int = 0
    search: Search = field(default_factory=Search)
    cuts: CutDetector = field(default_factory=CutDetector)

    @property
    def live(self) -> list[Track]:
        """Tracks of faces that were found in the last frame."""
        return [track for track in self.tracks if not track.is_lost]

    @property
    def lost(self) -> list[Track]:
        """Tracks of faces that were not found in the last frame, but are not forgotten yet."""
        return [track for track in self.tracks if track.is_lost]

    def new_track(self, seen: Sighting, time_s: float) -> Track:
        """Start a track with the next id on the face ``seen`` at ``time_s``; it still has to take it in."""
        self.last_id += 1
        track = Track(self.last_id, seen.landmarks, seen.crop, time_s)
        self.tracks.append(track)
        return track

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON-compatible data; an array becomes the base64 text of its bytes."""
        return {name: _encode(value) for name, value in _fields_of(self)}

    @classmethod
    def from_json(cls, data: Any, scheme: Scheme = IBUG68) -> TrackerState:
        """Return the state that ``data``, the output of :meth:`to_json`, stands for.

        Its landmarks are of ``scheme``. ``data`` cannot choose a class: the type hints of the fields decide
        what is created. Raises ``ValueError`` for other data.
        """
        try:
            state = _decode(cls, data, scheme)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"no state of a tracker: {type(error).__name__}: {error}") from error
        assert isinstance(state, cls)
        return state


def _fields_of(instance: Any) -> list[tuple[str, Any]]:
    values = [(one.name, getattr(instance, one.name)) for one in fields(instance)]
    return [(name, value) for name, value in values if not isinstance(value, Scheme)]


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        data = base64.b64encode(value.tobytes()).decode("ascii")
        return {"array": data, "type": value.dtype.str, "shape": list(value.shape)}
    if is_dataclass(value):
        return {name: _encode(item) for name, item in _fields_of(value)}
    if isinstance(value, list | tuple):
        return [_encode(item) for item in value]
    return value


def _decode(kind: Any, data: Any, scheme: Scheme) -> Any:
    """Return ``data`` as a value of the type ``kind``, the hint of a dataclass's field.

    Fields that hold a scheme get ``scheme``.
    """
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (some,) = (part for part in parts if part is not NoneType)
        return None if data is None else _decode(some, data, scheme)
    if origin is np.ndarray:
        return _decode_array(data)
    if origin is list:
        return [_decode(parts[0], item, scheme) for item in _checked(list, data)]
    if origin is tuple:
        pairs = zip(parts, _checked(list, data), strict=True)
        return tuple(_decode(part, item, scheme) for part, item in pairs)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        given = {name: scheme for name, hint in hints.items() if hint is Scheme}
        hints = {name: hint for name, hint in hints.items() if name not in given}
        if _checked(dict, data).keys() != hints.keys():
            raise ValueError(f"fields of {kind} are {', '.join(hints)}, got {', '.join(data)}")
        values = {name: _decode(hint, data[name], scheme) for name, hint in hints.items()}
        return kind(**values, **given)
    return _checked(kind, data)


def _checked(kind: type, data: Any) -> Any:
    """Return ``data`` if it is exactly of the type ``kind``; an integer is also a float."""
    if type(data) is not kind and not (kind is float and type(data) is int):
        raise TypeError(f"expected {kind.__name__}, got {type(data).__name__}")
    if isinstance(data, float) and not math.isfinite(data):
        raise ValueError(f"expected a finite number, got {data}")
    return data


def _decode_array(data: Any) -> np.ndarray[Any, Any]:
    kind = _checked(str, data["type"])
    if kind not in _DTYPES:  # NumPy would evaluate parts of other text
        raise ValueError(f"an array of {kind:.20} is not part of a tracker's state")
    dtype = np.dtype(kind)
    values = np.frombuffer(base64.b64decode(data["array"], validate=True), dtype)
    if not np.isfinite(values).all():
        raise ValueError("an array of a tracker's state is finite")
    return values.reshape(data["shape"]).copy()
