"""Generated films with known people: real faces pasted on a moving ground with noise.

A film is a sequence of scenes; a scene says who is where in one frame. Films need no labels: each pasted
face is its own ground truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from tracker.types import FloatArray, Frame, ImageArray
from train.data.pictures import read_picture
from train.data.pts import read_pts
from train.data.splits import training_faces
from train.errors import DataError

_HEAD_W, _HEAD_H = 0.72, 0.92
"""Half axes of the pasted ellipse in sizes of the face, so that hair and ears come along."""


@dataclass(frozen=True, eq=False)
class Portrait:
    """A picture of one face: ``image`` ``(H, W, 3)`` BGR, and the middle and size of its landmarks' box."""

    image: ImageArray
    center: tuple[float, float]
    size: float

    @classmethod
    def read(cls, path: Path) -> Portrait:
        """Read a picture with 68 points in a ``.pts`` file beside it."""
        points = read_pts(path.with_suffix(".pts"))
        (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        return cls(read_picture(path, colour=True), ((x0 + x1) / 2, (y0 + y1) / 2), max(x1 - x0, y1 - y0))


def read_portraits(data: Path, count: int = 60) -> list[Portrait]:
    """Read ``count`` faces of the 300-W validation images below ``data``, the same on every machine.

    Raises :class:`DataError` if they are missing.
    """
    _, faces = training_faces(data)
    if len(faces) < count:
        raise DataError(f"{data} has {len(faces)} validation faces, and the films need {count}")
    return [Portrait.read(face.image) for face in faces[:count]]


@dataclass(frozen=True)
class Place:
    """One person in one frame: which, the middle and the size of the face in pixels."""

    person: int
    center: tuple[float, float]
    size: float


@dataclass(frozen=True, eq=False)
class Scene:
    """One frame: ``people`` from back to front, and what happens to the picture.

    ``ground`` chooses the background. ``blank`` replaces the picture by a grey level. ``light`` is a factor
    or, per column, ``(W,)`` factors. ``noise`` is the standard deviation in grey levels.
    """

    people: Sequence[Place]
    ground: int = 0
    blank: int | None = None
    light: float | FloatArray = 1.0
    noise: float = 3.0


@dataclass(eq=False)
class Film:
    """``scenes`` of ``portraits`` at ``fps``, in pictures of ``size`` (width, height)."""

    portraits: Sequence[Portrait]
    scenes: Sequence[Scene]
    size: tuple[int, int] = (640, 480)
    fps: float = 30.0
    drift: float = 1.0
    _grounds: dict[int, ImageArray] = field(default_factory=dict)

    def frames(self) -> Iterator[Frame]:
        """Draw the frames in order."""
        noise = np.random.default_rng(0)
        for index, scene in enumerate(self.scenes):
            yield Frame(self._draw(scene, index, noise), index, index / self.fps, "film")

    def _draw(self, scene: Scene, index: int, noise: np.random.Generator) -> ImageArray:
        width, height = self.size
        if scene.blank is not None:
            return np.full((height, width, 3), scene.blank, np.uint8)
        shift = round(self.drift * index) % width
        canvas = self._ground(scene.ground)[:, shift : shift + width].astype(np.float32)
        for place in scene.people:
            _paste(canvas, self.portraits[place.person], place)
        light = np.asarray(scene.light, np.float32)
        canvas *= light[None, :, None] if light.ndim else light
        if scene.noise:
            grain = noise.standard_normal((height, width), np.float32)
            canvas += scene.noise * grain[..., None]
        return np.asarray(canvas.clip(0, 255), np.uint8)

    def _ground(self, seed: int) -> ImageArray:
        if seed not in self._grounds:
            width, height = self.size
            coarse = np.random.default_rng(seed).integers(30, 220, (6, 16, 3), dtype=np.uint8)
            wide = cv2.resize(coarse, (2 * width, height), interpolation=cv2.INTER_CUBIC)
            self._grounds[seed] = np.asarray(wide, np.uint8)
        return self._grounds[seed]


def still(person: int, x: float, y: float, size: float) -> Callable[[int], Place]:
    """Return a person who sways a little around a place, as people do, by frame number."""
    return lambda i: Place(person, (x + 2 * np.sin(i / 7 + person), y + np.cos(i / 9 + person)), size)


def _paste(canvas: FloatArray, portrait: Portrait, place: Place) -> None:
    height, width = canvas.shape[:2]
    scale = place.size / portrait.size
    # Averages first where the portrait shrinks.
    source = portrait.image
    if scale < 1:
        source = np.asarray(
            cv2.resize(source, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    step = scale if scale >= 1 else 1.0
    center = [c * min(scale, 1.0) for c in portrait.center]
    x0, y0 = (max(int(c - 1.2 * place.size), 0) for c in place.center)
    x1, y1 = (
        min(int(c + 1.2 * place.size), end) for c, end in zip(place.center, (width, height), strict=True)
    )
    if x1 <= x0 or y1 <= y0:
        return
    shift_x, shift_y = place.center[0] - x0 - step * center[0], place.center[1] - y0 - step * center[1]
    matrix = np.array([[step, 0, shift_x], [0, step, shift_y]])
    patch = cv2.warpAffine(
        source, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    ys, xs = np.mgrid[y0:y1, x0:x1]
    across = (xs - place.center[0]) / (_HEAD_W * place.size)
    down = (ys - place.center[1] + 0.12 * place.size) / (_HEAD_H * place.size)
    alpha = np.clip((1 - np.hypot(across, down)) * 6, 0, 1)[..., None]
    canvas[y0:y1, x0:x1] += alpha * (patch - canvas[y0:y1, x0:x1])
