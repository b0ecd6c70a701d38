"""Figures of the maps of heatmap networks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tracker.geometry import CropTransform
from tracker.scheme import fields
from tracker.types import FloatArray, ImageArray
from train.data.dataset import from_unit
from train.data.pictures import read_picture
from train.errors import DataError
from train.evaluation.figures import bars, panels, png
from train.evaluation.own_detector import tracked_images
from train.files import make_folder, replace
from train.models.heatmap import RING, HeatmapCodec
from train.models.load import load_heatmap_network
from train.models.registry import build

SIGMAS = (0.5, 1.0, 1.5, 3.0, 6.0)
"""Widths of the compared targets, in cells."""

SHOWN = {"jaw": 4, "left brow": 19, "nose tip": 30, "left eye": 36, "mouth corner": 54}
"""Points whose maps are drawn one by one: one of the ill-defined jaw, and well-defined ones."""

_PLACE = (0.13, -0.04)
"""Position of the point whose targets are drawn, in crop sides from the centre.

It lies between cells, as most points do.
"""


def draw(model: str, image: Path, out: Path, weights: Path | None, scores: Sequence[Path]) -> list[Path]:
    """Write the figures of ``model`` for the face in ``image`` to the folder ``out``, and return their paths.

    Raises :class:`~train.errors.RunError` for a network without maps and if ``out`` cannot be written,
    :class:`~train.errors.DataError` for an image without a face and for files that hold no scores.
    """
    loaded = load_heatmap_network(model, weights)
    crop = face_crop(image, loaded.size)
    trained, points = _locate(loaded.network, crop)
    torch.manual_seed(0)
    untrained, _ = _locate(build(model).eval(), crop)
    figures = {
        "heatmaps.png": overlay(crop, trained, points),
        "sigmas.png": sigma_targets(_PLACE, trained.shape[-1]),
        "peaks.png": before_and_after(crop, untrained, trained),
    }
    if scores:
        figures["models.png"] = part_comparison(dict(map(read_parts, scores)))
    make_folder(out)
    for name, figure in figures.items():
        replace(out / name, png(figure))
    return [out / name for name in figures]


def face_crop(image: Path, size: int) -> ImageArray:
    """Return the face that the tracker finds in ``image``, ``(size, size)`` grey uint8.

    Raises :class:`~train.errors.DataError` if it finds none.
    """
    picture = read_picture(image, upright=True)
    faces = tracked_images([image], "resnet18")[image.name].faces
    if not faces:
        raise DataError(f"{image}: no face found: choose a photograph that shows one clearly")
    return CropTransform.from_points(faces[0], size=size).cut(picture)


def read_parts(path: Path) -> tuple[str, Mapping[str, float]]:
    """Read model and mean error by part, over all test faces, from a file of ``evaluate --json``.

    Raises :class:`~train.errors.DataError` if it is not such a file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        parts = {str(name): fields.number(value) for name, value in content["scores"][-1]["parts"].items()}
        return str(content["model"]), parts
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise DataError(f"{path}: not a file that evaluate --json wrote: {type(error).__name__}") from error


@torch.inference_mode()
def _locate(network: torch.nn.Module, crop: ImageArray) -> tuple[FloatArray, FloatArray]:
    """Return the maps of ``crop`` as distributions, and its points in crop pixels."""
    output = network(torch.from_numpy(crop)[None, None])
    return softmax_maps(output.maps[0]), from_unit(output.points[0].double(), len(crop)).numpy()


def softmax_maps(maps: torch.Tensor) -> FloatArray:
    """Convert logits ``(P, K + 2, K + 2)`` to distributions over the crop's cells ``(P, K, K)``.

    The ring around the crop is dropped.
    """
    weights = maps.detach().float().flatten(1).softmax(dim=1).reshape(maps.shape)
    return np.asarray(weights[:, RING:-RING, RING:-RING].cpu().numpy(), np.float64)


def overlay(crop: ImageArray, weights: FloatArray, points_crop: FloatArray) -> Figure:
    """Draw the crop ``(S, S)``, all maps ``(P, K, K)`` over it, and their means ``(P, 2)`` in its pixels.

    Each map is scaled to its own peak: their heights differ a hundredfold between eye and jaw.
    """
    figure, (left, middle, right) = panels(3, columns=3, width=2.8, height=2.8, pad=0.03)
    heat = (weights / weights.max(axis=(1, 2), keepdims=True)).max(axis=0)
    for axes, title in ((left, "crop"), (middle, f"{len(weights)} maps"), (right, "their means")):
        _crop(axes, crop, title)
    _heat(middle, heat, len(crop))
    right.scatter(points_crop[:, 0], points_crop[:, 1], s=4, color="#ffd23f", linewidths=0)
    return figure


def sigma_targets(point: tuple[float, float], cells: int) -> Figure:
    """Draw the training targets of :data:`SIGMAS` for one point, in crop sides from the crop's centre."""
    figure, row = panels(len(SIGMAS), columns=len(SIGMAS), width=1.9, height=2.1, pad=0.03)
    where = torch.tensor([[point]])
    for axes, sigma in zip(row, SIGMAS, strict=True):
        target = HeatmapCodec(sigma).encode(where, cells)[0]
        entropy = float(-(target * target.clamp(min=1e-30).log()).sum())
        axes.imshow(target[0].numpy(), cmap="magma", interpolation="nearest")
        axes.set_title(f"sigma {sigma:g} cells\n{entropy:.1f} nats", fontsize=9)
        axes.set_axis_off()
    return figure


def before_and_after(crop: ImageArray, before: FloatArray, after: FloatArray) -> Figure:
    """Draw maps ``(P, K, K)`` of the points in :data:`SHOWN`, before and after training."""
    figure, row = panels(2 * len(SHOWN), columns=len(SHOWN), width=1.9, height=2.1, pad=0.03)
    for weights, label, axes_row in ((before, "before", row), (after, "after", row[len(SHOWN) :])):
        for (name, number), axes in zip(SHOWN.items(), axes_row, strict=False):
            peak = weights[number].max() * weights[number].size
            _crop(axes, crop, f"{name}, {label}\npeak {peak:.0f} x flat")
            _heat(axes, weights[number] / weights[number].max(), len(crop))
    return figure


def part_comparison(parts: Mapping[str, Mapping[str, float]]) -> Figure:
    """Plot the mean error by part in % NME: a group of bars a part, a bar a model."""
    names = list(next(iter(parts.values())))
    return bars(names, {model: [values[name] for name in names] for model, values in parts.items()}, "NME, %")


def _crop(axes: Axes, crop: ImageArray, title: str) -> None:
    axes.imshow(crop, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()


def _heat(axes: Axes, heat: FloatArray, size: int) -> None:
    """Draw ``heat`` ``(K, K)``, 0..1, over a crop of ``size`` pixels; cells include their edges."""
    edge = (-0.5, size - 0.5)
    axes.imshow(heat, cmap="magma", alpha=np.sqrt(heat), extent=(*edge, *edge[::-1]), interpolation="nearest")
