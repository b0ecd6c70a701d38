"""Heatmaps over the best and the worst faces, and the targets that heatmaps are trained on."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from matplotlib import colormaps

from tracker.geometry import CROP_SIZE
from tracker.scheme.ibug68 import PARTS
from tracker.types import FloatArray, ImageArray
from train.data.dataset import from_unit
from train.evaluation.extremes import error_text, ranked
from train.evaluation.heatmaps import softmax_maps
from train.evaluation.labelled import LabelCrops
from train.evaluation.recipes import Codec
from train.evaluation.results import Evaluation
from train.evaluation.tiles import Item, Marks, Tile
from train.models.heatmap import RING, HeatmapCodec, KernelCodec
from train.models.load import Loaded

FACES = 4
"""Faces of each kind: as many of the best as of the worst."""

TARGET = KernelCodec(sigma_px=10, kernel_px=60)
"""Target that is drawn beside that of the loss: see docs/unet.md."""

_VIEW_PX = 256
_SHOWN_POINT = 30
"""Point whose target is drawn alone: the tip of the nose, in the middle of the face."""


def face_maps(loaded: Loaded, crops: LabelCrops, evaluation: Evaluation, worst: bool) -> list[Item]:
    """Return the best or the worst faces of ``evaluation``, with the maps of ``loaded`` over their ``crops``.

    Each has three tiles: labels and predictions, all maps, and the map of the point with the largest error.
    """
    rows = ranked(evaluation, FACES, worst)
    return [_face_item(loaded, crops, evaluation, row) for row in rows]


@torch.inference_mode()
def map_cells(loaded: Loaded) -> int:
    """Return the cells of the side of a map that the network of ``loaded`` draws, without its ring."""
    maps = loaded.network(torch.zeros(1, 1, loaded.size, loaded.size, dtype=torch.uint8)).maps
    return int(maps.shape[-1]) - 2 * RING


def targets(crop: ImageArray, points: torch.Tensor, cells: int, codec: Codec | None) -> list[Item]:
    """Return :data:`TARGET` and that of ``codec`` for ``cells`` x ``cells`` over the face in ``crop``.

    ``points`` are its labels ``(P, 2)`` in crop sides from the crop's centre. ``codec`` is None if the loss
    has none.
    """
    drawn: list[tuple[Codec, int, str]] = [(TARGET, CROP_SIZE, "Common target")]
    drawn += [(codec, cells, "Target of this network's loss")] if codec else []
    return [_target_item(crop, points, *one) for one in drawn]


@torch.inference_mode()
def _face_item(loaded: Loaded, crops: LabelCrops, evaluation: Evaluation, row: int) -> Item:
    crop, points, _ = crops[row]
    output = loaded.network(crop[None])
    weights = softmax_maps(output.maps[0])
    label, found = (_in_view(values) for values in (points[:, :2], output.points[0]))
    errors = evaluation.point_errors[row]
    worst = int(errors.argmax())
    picture, name = _view(crop[0].numpy()), evaluation.images[row].name
    single = _heated(picture, weights[worst])
    label_and_found = Marks(label, "label"), Marks(found, "answer")
    one = Marks(label[[worst]], "label"), Marks(found[[worst]], "answer")
    tiles = (
        Tile(picture, f"Crop of {name} with labels and predictions", label_and_found),
        Tile(_heated(picture, _together(weights)), f"All maps of {name}, each scaled to its own peak"),
        Tile(single, f"Map of {_point_name(worst)} of {name}", one),
    )
    part = f"{_point_name(worst)} is off by {errors[worst]:.1f} {evaluation.measure.unit}"
    return Item(tiles, f"{error_text(evaluation, row)}; {part} · {evaluation.subsets[row]}/{name}")


@torch.inference_mode()
def _target_item(crop: ImageArray, points: torch.Tensor, codec: Codec, cells: int, name: str) -> Item:
    weights = codec.encode(points[None, :, :2], cells)[0, :, RING:-RING, RING:-RING].double().numpy()
    picture = _view(crop)
    tiles = (
        Tile(_heated(picture, _together(weights)), f"{name} of all points over a face"),
        Tile(_heated(picture, weights[_SHOWN_POINT]), f"{name} of the tip of the nose over a face"),
    )
    return Item(tiles, f"{name}: {_describe(codec, cells)}. Left all points, right the tip of the nose.")


def _describe(codec: Codec, cells: int) -> str:
    where = f"on {cells} x {cells} cells"
    if isinstance(codec, HeatmapCodec):
        cell_px = CROP_SIZE / cells
        size = f"{codec.sigma:g} cells, or {codec.sigma * cell_px:.1f} px of a {CROP_SIZE} px crop"
        return f"a Gaussian of sigma {size}, {where}"
    size = f"{codec.sigma_px:g} px in a kernel of {codec.kernel_px:g} px"
    return f"a Gaussian of sigma {size}, in pixels of a {CROP_SIZE} px crop, {where}"


def _together(weights: FloatArray) -> FloatArray:
    """Join maps ``(P, K, K)`` to one, each scaled to its own peak: heights differ a hundredfold."""
    return np.asarray((weights / weights.max(axis=(1, 2), keepdims=True)).max(axis=0))


def _in_view(points: torch.Tensor) -> FloatArray:
    return np.asarray(from_unit(points.double(), _VIEW_PX).numpy())


def _view(crop: ImageArray) -> ImageArray:
    enlarged = cv2.resize(crop, (_VIEW_PX, _VIEW_PX), interpolation=cv2.INTER_CUBIC)
    return np.asarray(enlarged, np.uint8)


def _heated(picture: ImageArray, heat: FloatArray) -> ImageArray:
    """Return ``heat`` ``(K, K)``, scaled to its peak, over a grey ``picture``, as BGR ``(S, S, 3)``."""
    cells = cv2.resize(heat / heat.max(), picture.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    cover = np.sqrt(cells)[..., None]
    colour = 255 * colormaps["magma"](cells)[..., 2::-1]
    return np.asarray(np.rint((1 - cover) * picture[..., None] + cover * colour), np.uint8)


def _point_name(point: int) -> str:
    """Return the part of the face and the number of ``point``, such as ``jaw 3``."""
    part = next(name for name, members in PARTS.items() if point in members)
    return f"{part.replace('_', ' ')} point {point}"
