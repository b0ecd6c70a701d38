"""The parts of pictures that training uses: read once, reduced where they are larger than it can use."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracker.geometry import CropTransform, average_blocks
from tracker.types import ImageArray
from train.data.picture_file import PictureFile
from train.data.pictures import read_picture
from train.progress import OnRead

SMALL = 512 * 512
"""Pixels of a picture up to which it is kept as it is: cutting it would save little."""

_SMALLEST_CROP = 32
"""Pixels of the smallest crops of a stage, which sample farthest beyond their edge."""

_MOST_THREADS = 8
"""Most pictures that are decoded at a time; each is in memory as a whole for that time."""

Parts = tuple["Part", ...]
"""Parts of one picture for one face, from the finest and smallest to the coarsest and largest."""


@dataclass(frozen=True)
class Reach:
    """Extent of the crops around a face, in sides of its canonical crop.

    ``far`` is the largest distance of a corner from the canonical centre, along x or y, and ``largest`` the
    largest side. Crops from ``finest`` on lose nothing: one stored pixel or more is kept for each of theirs.
    """

    far: float
    largest: float
    finest: float


@dataclass(frozen=True)
class Part:
    """Rectangle of a picture, from pixel (``left``, ``top``) to before (``right``, ``bottom``).

    It is stored as the means of blocks of ``block`` x ``block`` pixels.
    """

    left: int
    top: int
    right: int
    bottom: int
    block: int = 1

    @classmethod
    def whole(cls, image_hw: tuple[int, int], block: int = 1) -> Part:
        """Return the whole picture of ``image_hw`` pixels."""
        return cls(0, 0, image_hw[1], image_hw[0], block)

    @classmethod
    def around(cls, crop: CropTransform, reach: Reach, image_hw: tuple[int, int]) -> Part:
        """Return what crops within ``reach`` of ``crop`` sample of a picture of ``image_hw`` pixels."""
        block = max(1, int(crop.scale * reach.finest))
        (x, y), (height, width) = crop.center, image_hw
        margin = reach.far * crop.side + _beyond(reach.largest * crop.side / _SMALLEST_CROP, block) + 1
        # At least one pixel, also of a picture beside which the face lies.
        left, top = (min(max(math.floor(at - margin), 0), end - 1) for at, end in ((x, width), (y, height)))
        right, bottom = min(math.ceil(x + margin) + 1, width), min(math.ceil(y + margin) + 1, height)
        return cls(left, top, max(right, left + 1), max(bottom, top + 1), block)

    @property
    def pixels(self) -> int:
        """Number of stored pixels, which are its bytes."""
        return -(-(self.right - self.left) // self.block) * -(-(self.bottom - self.top) // self.block)

    @property
    def frame(self) -> CropTransform:
        """Map between the picture and the stored pixels, given by two by two of them."""
        middle = self.block - 0.5
        return CropTransform((self.left + middle, self.top + middle), 2.0 * self.block, 0.0, 2)

    def of(self, image: ImageArray) -> ImageArray:
        """Return the stored pixels from the picture ``(H, W)``; a view where nothing is reduced."""
        patch = image[self.top : self.bottom, self.left : self.right]
        return patch if self.block == 1 else average_blocks(patch, self.block, self.block)

    def holds(self, crop: CropTransform, image_hw: tuple[int, int]) -> bool:
        """Return whether the part has all pixels of the picture of ``image_hw`` that ``crop`` samples."""
        half = crop.side * (abs(math.cos(crop.angle)) + abs(math.sin(crop.angle))) / 2
        half += _beyond(crop.scale, self.block)
        (x, y), (height, width) = crop.center, image_hw
        return (
            self.left <= max(x - half, 0)
            and self.top <= max(y - half, 0)
            and self.right >= min(x + half + 1, width)
            and self.bottom >= min(y + half + 1, height)
        )


def _beyond(scale: float, block: int) -> float:
    """Return how far a crop of ``scale`` samples beyond its edge at most, in pixels of the picture.

    :meth:`CropTransform.cut` averages and interpolates over two crop pixels and two stored ones, and rounds.
    """
    return 2 * scale + 4 * block


def whole_part(finest_scale: float, image_hw: tuple[int, int]) -> Part:
    """Return the whole picture of ``image_hw`` for crops of ``finest_scale`` or more pixels of it a pixel."""
    small = image_hw[0] * image_hw[1] <= SMALL
    return Part.whole(image_hw, 1 if small else max(1, int(finest_scale)))


def plan_parts(crop: CropTransform, reaches: Sequence[Reach], image_hw: tuple[int, int]) -> Parts:
    """Return the parts of a picture of ``image_hw`` around ``crop``, at most one for each of ``reaches``.

    ``reaches`` run from the finest and smallest to the coarsest and largest. A part is left out if the one
    before has all of it, and a small picture is kept as it is.
    """
    if image_hw[0] * image_hw[1] <= SMALL:
        return (Part.whole(image_hw),)
    parts: list[Part] = []
    for reach in reaches:
        part = Part.around(crop, reach, image_hw)
        if not parts or _bounds(_joined([part, parts[-1]])) != _bounds(parts[-1]):
            parts.append(part)
    return tuple(parts)


def _joined(parts: Iterable[Part]) -> Part:
    """Return the smallest part that has all of ``parts``, as fine as the finest."""
    lefts, tops, rights, bottoms, blocks = zip(*((*_bounds(part), part.block) for part in parts), strict=True)
    return Part(min(lefts), min(tops), max(rights), max(bottoms), min(blocks))


def _bounds(part: Part) -> tuple[int, int, int, int]:
    return part.left, part.top, part.right, part.bottom


@dataclass(frozen=True)
class _Kept:
    """Height and width of a face's picture, and its parts, each with its map and its number in the file.

    A picture that is kept as it is has one part, and no map.
    """

    image_hw: tuple[int, int]
    parts: tuple[tuple[Part, CropTransform | None, int], ...]


class KeptPictures:
    """Grey pictures, of which a :class:`PictureFile` keeps the parts that are planned."""

    def __init__(self, file: PictureFile, kept: Sequence[_Kept]) -> None:
        self._file, self._kept = file, kept

    @classmethod
    def read(
        cls, paths: Sequence[Path], plan: Callable[[int, tuple[int, int]], Parts], on_read: OnRead
    ) -> KeptPictures:
        """Read the pictures at ``paths``, which may repeat; ``on_read`` is called once for each of ``paths``.

        ``plan`` returns the parts to keep of a picture by its place in ``paths`` and its height and width.
        Each file is read once, several at a time. Raises :class:`~train.errors.DataError` if one cannot be
        read, and :class:`~train.errors.RunError` if the parts cannot be written.
        """
        places: dict[Path, list[int]] = {}
        for place, path in enumerate(paths):
            places.setdefault(path, []).append(place)
        kept: dict[int, _Kept] = {}

        def stored() -> Iterator[ImageArray]:
            written = 0
            for read in _ahead(lambda path: _read(path, places[path], plan), places):
                numbers = {part: written + number for number, part in enumerate(read.stored)}
                written += len(numbers)
                yield from read.stored.values()
                for place, parts in read.parts.items():
                    whole = parts == (Part.whole(read.image_hw),)
                    chosen = tuple((part, None if whole else part.frame, numbers[part]) for part in parts)
                    kept[place] = _Kept(read.image_hw, chosen)
                    on_read()

        file = PictureFile.write(stored())
        return cls(file, [kept[place] for place in range(len(paths))])

    def image_hw(self, index: int) -> tuple[int, int]:
        """Return height and width in pixels of the picture that was read."""
        return self._kept[index].image_hw

    def cut(self, index: int, crop: CropTransform) -> ImageArray:
        """Sample ``crop``, in pixels of picture ``index`` as it was read, from the finest part that holds it.

        Returns ``(size, size)`` grey uint8, as :meth:`CropTransform.cut` does. Raises ``ValueError`` if no
        part holds it.
        """
        kept = self._kept[index]
        for part, frame, number in kept.parts:
            if frame is None:
                return crop.cut(self._file[number])
            if part.holds(crop, kept.image_hw):
                return crop.within(frame, crop.size).cut(self._file[number])
        raise ValueError(f"no part was kept for {crop} of a picture of {kept.image_hw}")


@dataclass(frozen=True)
class _Read:
    """One picture that was read: the parts of each of its places, and the pixels of each different part."""

    image_hw: tuple[int, int]
    parts: dict[int, Parts]
    stored: dict[Part, ImageArray]


def _read(path: Path, places: Sequence[int], plan: Callable[[int, tuple[int, int]], Parts]) -> _Read:
    image = read_picture(path)
    image_hw = image.shape[0], image.shape[1]
    parts = {place: plan(place, image_hw) for place in places}
    different = dict.fromkeys(part for some in parts.values() for part in some)
    joined = _joined(different)
    if sum(part.pixels for part in different) >= joined.pixels:
        parts, different = dict.fromkeys(places, (joined,)), {joined: None}
    # Copies, so that the picture itself need not stay in memory.
    return _Read(image_hw, parts, {part: np.array(part.of(image)) for part in different})


def _ahead(read: Callable[[Path], _Read], paths: Iterable[Path]) -> Iterator[_Read]:
    """Yield what ``read`` returns for each of ``paths``, in their order, with a few read ahead by threads."""
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    waiting: deque[Future[_Read]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for path in paths:
            waiting.append(pool.submit(read, path))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
