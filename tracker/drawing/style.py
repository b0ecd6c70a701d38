"""Style of a drawing: its layers, and whether measures stand beside the face."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import Literal, get_args

from tracker.errors import MisuseError

Layer = Literal["points", "lines", "mesh", "box"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
"""Layers of a drawing: dots, contours of the scheme, triangles over the face, and the four corners
around it with the face's id."""

NONE = "none"
"""Name of the drawing without any layer."""


@dataclass(frozen=True)
class DrawStyle:
    """Style in which each face is drawn.

    ``layers`` are some of :data:`LAYERS`, none of them for a plain picture. With ``labels`` the score, the
    angles of the head and the blinks stand beside the face. Any set, list or tuple of layers is taken.

    Raises :class:`~tracker.errors.MisuseError`, a ``ValueError``, for an unknown layer or another type.
    """

    layers: frozenset[Layer] = frozenset({"points", "lines", "box"})
    labels: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.layers, Set | list | tuple):
            raise MisuseError(
                f"layers are a set such as {{'points', 'box'}}, got {self.layers!r:.60}: "
                "DrawStyle.parse reads text"
            )
        if unknown := [repr(layer)[:60] for layer in self.layers if layer not in LAYERS]:
            raise MisuseError(f"layers must be among {', '.join(LAYERS)}, got {', '.join(sorted(unknown))}")
        if not isinstance(self.labels, bool):
            raise MisuseError(f"labels is True or False, got {self.labels!r:.60}")
        object.__setattr__(self, "layers", frozenset(self.layers))

    @classmethod
    def parse(cls, text: str, labels: bool = False) -> DrawStyle:
        """Return the style that ``text`` names: layers with commas between them, or ``none``.

        Raises :class:`~tracker.errors.MisuseError`, a ``ValueError``, for another name, with those that are
        known, and for what is no text.
        """
        if not isinstance(text, str):
            raise MisuseError(f"a style is text such as 'points,box', got {text!r:.60}")
        names = [name.strip() for name in text.split(",")]
        if names == [NONE]:
            return cls(frozenset(), labels)
        if NONE in names:
            raise MisuseError(f"{NONE} stands alone, without other layers, got {text!r:.60}")
        chosen = frozenset(layer for layer in LAYERS if layer in names)
        if unknown := [name for name in names if name not in LAYERS]:
            raise MisuseError(f"{unknown[0]!r:.60} is no layer: give {NONE}, or some of {','.join(LAYERS)}")
        return cls(chosen, labels)

    @property
    def name(self) -> str:
        """Names of the layers as :meth:`parse` reads them, in the order of :data:`LAYERS`."""
        return ",".join(layer for layer in LAYERS if layer in self.layers) or NONE

    @property
    def draws(self) -> bool:
        """Whether anything is drawn on a face."""
        return bool(self.layers) or self.labels

    def next(self) -> DrawStyle:
        """Return the drawing that follows in the live window, with the same ``labels``.

        The default, points, lines and mesh with corners, and none follow each other; any other style is
        followed by the default.
        """
        names = [style.name for style in _CYCLE]
        place = names.index(self.name) + 1 if self.name in names else 0
        return replace(self, layers=_CYCLE[place % len(_CYCLE)].layers)


DEFAULT_STYLE = DrawStyle()
"""Points, lines and corners with the id, without labels."""

_CYCLE = (DEFAULT_STYLE, *map(DrawStyle.parse, ("points,box", "lines,box", "mesh,box", NONE)))
