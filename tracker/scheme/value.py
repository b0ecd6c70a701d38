"""Scheme of landmarks: a value that travels with a model and its results.

Points are numbered from 0. "Left" and "right" are as seen in the picture.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import TypeVar

T = TypeVar("T")

Edge = tuple[int, int]
"""Two points that are joined by a line."""

MAX_POINTS = 1000
"""Largest number of points of a scheme."""

MARGINS = (0.1, 100.0)
"""Least and largest margin of a crop: beyond, the crop would show next to nothing of the object."""

MOST_SHIFT = 10.0
"""Largest shift of a crop, in sides of the detector's box: beyond, it would show something else."""

LEAST_POINTS = 3
"""Least number of points: two have a box without width where they lie in a row or column of pixels."""

HEAD_POINTS = (27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 39, 42, 45)
"""Points of iBUG whose places on a head are known: nose and corners of the eyes."""


@dataclass(frozen=True)
class CropRule:
    """Placement of the square crop that a model sees.

    Around located points the side is ``margin`` times the longer side of their tight box, with the head
    upright. Around a detector's box, which is tight around iBUG's points for the shipped detectors,
    the side is ``box_margin`` times its longer side, and the centre is moved by ``box_shift``: x to the right
    and y down, in longer sides, with the head upright.

    Raises ``ValueError`` unless all values are finite, and margins and shift within :data:`MARGINS` and
    :data:`MOST_SHIFT`.
    """

    margin: float = 1.35
    box_margin: float = 1.35
    box_shift: tuple[float, float] = (0.0, 0.0)

    @property
    def box_per_points(self) -> float:
        """Longer side of a detector's box over that of the points' own tight box."""
        return self.margin / self.box_margin

    def __post_init__(self) -> None:
        values = (self.margin, self.box_margin, *self.box_shift)
        if len(self.box_shift) != 2 or not all(map(math.isfinite, values)):
            raise ValueError(f"a crop rule is made of finite numbers, got {self}")
        least, most = MARGINS
        if not all(least <= margin <= most for margin in (self.margin, self.box_margin)):
            raise ValueError(
                f"margins of a crop lie in {least:g} to {most:g}, got {self.margin:g} and {self.box_margin:g}"
            )
        if max(map(abs, self.box_shift)) > MOST_SHIFT:
            raise ValueError(
                f"box_shift lies in -{MOST_SHIFT:g} to {MOST_SHIFT:g} sides, got {self.box_shift}"
            )


@dataclass(frozen=True)
class Upright:
    """Groups of points by which a head's roll is measured: eyes, as seen in the picture, and mouth.

    The mean of each group is taken. Raises ``ValueError`` for an empty group.
    """

    left_eye: tuple[int, ...]
    right_eye: tuple[int, ...]
    mouth: tuple[int, ...]

    def __post_init__(self) -> None:
        if not (self.left_eye and self.right_eye and self.mouth):
            raise ValueError("an upright rule names points of both eyes and of the mouth")

    @property
    def points(self) -> tuple[int, ...]:
        """All points that are named."""
        return (*self.left_eye, *self.right_eye, *self.mouth)


@dataclass(frozen=True)
class Measured:
    """Points on which a face is measured; what is None cannot be measured.

    ``left_eye`` and ``right_eye``, as seen in the picture, and ``mouth`` are rings of an even number of
    points that run from corner to corner and back. ``pose`` pairs points with those of iBUG that mark the
    same place of a head, of :data:`HEAD_POINTS`.

    Raises ``ValueError`` for a ring with fewer than four points or an odd number, for one eye without the
    other, and for a pose by fewer than six points or by others.
    """

    left_eye: tuple[int, ...] | None = None
    right_eye: tuple[int, ...] | None = None
    mouth: tuple[int, ...] | None = None
    pose: tuple[Edge, ...] | None = None

    def __post_init__(self) -> None:
        for ring in (self.left_eye, self.right_eye, self.mouth):
            if ring is not None and (len(ring) < 4 or len(ring) % 2):
                raise ValueError(
                    f"eyes and mouth are measured on an even ring of 4 points or more, got {ring}"
                )
        if (self.left_eye is None) != (self.right_eye is None):
            raise ValueError("both eyes are measured, or none")
        if self.pose is not None and len(self.pose) < 6:
            raise ValueError(f"a pose needs 6 points or more, got {len(self.pose)}")
        if others := {ibug for _, ibug in self.pose or ()} - set(HEAD_POINTS):
            raise ValueError(f"a pose is measured on iBUG's points {HEAD_POINTS}, got {sorted(others)}")

    @property
    def blinks(self) -> bool:
        """Whether blinks can be counted: on the eyes, while the pose tells that they are seen."""
        return self.left_eye is not None and self.pose is not None

    @property
    def points(self) -> tuple[int, ...]:
        """All points that are named, of this scheme."""
        rings = (self.left_eye or (), self.right_eye or (), self.mouth or ())
        return (*(point for ring in rings for point in ring), *(own for own, _ in self.pose or ()))


@dataclass(frozen=True, eq=False)
class Scheme:
    """Landmarks of one kind of object: how many, what they are, and what can be done with them.

    ``parts`` are named groups of point numbers, disjoint; ``closed`` names those whose last point is joined
    to the first. ``edges`` are drawn as contours, ``mesh`` as triangles; without a mesh the edges are.
    ``names`` has a name for each point, or is empty. ``mirror`` is the permutation that brings the points of
    a mirrored picture in order, None where left and right cannot be exchanged. Errors are divided by the
    distance of the two points ``normaliser``, or, if that is None, by the geometric mean of the sides of the
    tight box. ``upright`` measures the roll; without it crops stay level. ``steady`` are points that the
    expression does not move, all if empty.

    Two schemes are equal if all of this is. Raises ``ValueError`` for values that contradict each other.
    """

    name: str
    n_points: int
    parts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    edges: tuple[Edge, ...] = ()
    mesh: tuple[Edge, ...] = ()
    names: tuple[str, ...] = ()
    mirror: tuple[int, ...] | None = None
    normaliser: Edge | None = None
    upright: Upright | None = None
    steady: tuple[int, ...] = ()
    measured: Measured = Measured()
    crop: CropRule = CropRule()

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", MappingProxyType(dict(self.parts)))
        if not self.name or not self.name.isprintable() or len(self.name) > 64:
            raise ValueError(f"a scheme has a printable name of 1 to 64 characters, got {self.name!r:.80}")
        if not LEAST_POINTS <= self.n_points <= MAX_POINTS:
            raise ValueError(f"a scheme has {LEAST_POINTS} to {MAX_POINTS} points, got {self.n_points}")
        self._check_numbers()
        self._check_mirror()
        self._check_names()
        if unknown := self.closed - self.parts.keys():
            raise ValueError(f"closed parts that are no parts: {', '.join(sorted(unknown))}")
        if self.normaliser and self.normaliser[0] == self.normaliser[1]:
            raise ValueError(f"errors are normalised by two different points, got {self.normaliser}")

    def _check_numbers(self) -> None:
        """Check that each number of a point exists, and that parts are disjoint."""
        in_parts = [point for part in self.parts.values() for point in part]
        if twice := _twice(in_parts):
            raise ValueError(f"parts: a point belongs to one part at most, and {twice[0]} is there twice")
        if empty := [name for name, part in self.parts.items() if not part]:
            raise ValueError(f"parts: {empty[0]} has no points; leave it out")
        if loops := [edge for edge in (*self.edges, *self.mesh) if edge[0] == edge[1]]:
            raise ValueError(f"edges join two different points, got {list(loops[0])}")
        used = {
            "parts": in_parts,
            "edges": [point for edge in self.edges for point in edge],
            "mesh": [point for edge in self.mesh for point in edge],
            "normaliser": self.normaliser or (),
            "upright": self.upright.points if self.upright else (),
            "steady": self.steady,
            "measured": self.measured.points,
        }
        for what, points in used.items():
            if missing := [point for point in points if not 0 <= point < self.n_points]:
                raise ValueError(f"{what}: there is no point {missing[0]} among 0 to {self.n_points - 1}")

    def _check_mirror(self) -> None:
        order = self.mirror
        if order is None:
            return
        rule = f"a mirror order exchanges points 0 to {self.n_points - 1} in pairs"
        if len(order) != self.n_points:
            raise ValueError(f"{rule}, got {len(order)} numbers for {self.n_points} points")
        if missing := set(range(self.n_points)) - set(order):
            raise ValueError(f"{rule}, and {min(missing)} is not among them")
        if apart := [i for i in order if order[order[i]] != i]:
            first, second = apart[0], order[apart[0]]
            raise ValueError(f"{rule}: {first} goes to {second}, but {second} to {order[second]}")

    def _check_names(self) -> None:
        """Check that there are as many names as points, all different, or none."""
        rule = f"names are {self.n_points} different ones or none"
        if twice := _twice(self.names):
            raise ValueError(f"{rule}, and {twice[0]!r} is there twice")
        if self.names and len(self.names) != self.n_points:
            raise ValueError(f"{rule}, got {len(self.names)}")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return self._values() == other._values() if isinstance(other, Scheme) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.name, self.n_points))

    def __deepcopy__(self, memo: object) -> Scheme:
        return self  # it cannot be changed

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (vars(self) | {"parts": dict(self.parts)},)  # a mapping proxy has no pickle

    def has_points_of(self, other: Scheme) -> bool:
        """Return whether both are the same scheme but for the crop, which is fitted to each model."""
        names = (name for name in self.__dataclass_fields__ if name != "crop")
        return self is other or all(getattr(self, name) == getattr(other, name) for name in names)

    @property
    def fingerprint(self) -> str:
        """A text that only equal schemes share: the name, the number of points, and a hash of the rest."""
        plain = {**vars(self), "parts": sorted(self.parts.items()), "closed": sorted(self.closed)}
        return f"{self} {sha256(repr(plain).encode()).hexdigest()[:16]}"

    def _values(self) -> tuple[object, ...]:
        return tuple(vars(self)[name] for name in self.__dataclass_fields__)

    def __str__(self) -> str:
        return f"{self.name} ({self.n_points} points)"


_KNOWN: dict[Scheme, Scheme] = {}


def interned(scheme: Scheme) -> Scheme:
    """Return the one object that stands for all schemes equal to ``scheme``: it is compared at once."""
    return _KNOWN.setdefault(scheme, scheme)


def _rebuilt(values: dict[str, object]) -> Scheme:
    return interned(Scheme(**values))  # type: ignore[arg-type]


def _twice(values: Sequence[T]) -> list[T]:
    """Return the values that occur more than once, in order."""
    counts = Counter(values)
    return [value for value in counts if counts[value] > 1]


def chain(points: Iterable[int], closed: bool = False) -> tuple[Edge, ...]:
    """Return the edges from each point to the next, and, if ``closed``, from the last to the first."""
    ring = list(points)
    ends = zip(ring, [*ring[1:], ring[0]], strict=True)
    return tuple(ends)[: len(ring) if closed else len(ring) - 1]


def plain_scheme(name: str, n_points: int) -> Scheme:
    """Return a scheme of which only the number of points is known: nothing is joined or measured."""
    return Scheme(name, n_points)
