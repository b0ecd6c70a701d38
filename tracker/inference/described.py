"""Landmark models of another origin, by a description of their inputs and outputs."""

from __future__ import annotations

import cv2
import numpy as np

from tracker.errors import WeightsError
from tracker.geometry import CROP_SIZE
from tracker.inference.description import Description
from tracker.inference.graph import Graph
from tracker.inference.landmarker import Landmarker, Located
from tracker.inference.sessions import Session
from tracker.scheme.value import Scheme
from tracker.types import FloatArray, ImageArray

_SHRINKS_ALIASED = 2
"""Factor of shrinking from which blocks of pixels are averaged, as bilinear sampling would alias."""

_MOST_SIDES = 100.0
"""Distance from the middle of its crop, in crop sides, beyond which no point can be meant."""

ROUNDING = 0.01
"""Distance from 0..1 that half precision and polynomials may leave a probability."""


class DescribedLandmarker:
    """A landmark model of another origin in a :class:`~tracker.inference.sessions.Session`.

    Crops are resampled to the size of the model's input, and its points come back in crop pixels. A model
    that takes colours gets the grey crop in all channels. ``graph`` and ``description`` are those of the
    session's model, and ``where`` names it in errors.

    The constructor runs the model on an empty crop. Raises :class:`~tracker.errors.WeightsError`, in one
    line, if the description does not fit the model.
    """

    def __init__(
        self, session: Session, graph: Graph, description: Description, scheme: Scheme, where: str
    ) -> None:
        self.scheme = scheme
        self._session = session
        self._picture = description.picture
        self._points = description.points
        self._where = where
        self._kind = self._picture.kind_for(graph, where)
        self._one_by_one = graph.takes_one(where)
        self._points_at = graph.output_index(self._points.output, where)
        self._presence_at: int | None = None
        self._is_logit = False
        if description.presence and description.presence.output:
            self._presence_at = graph.output_index(description.presence.output, where)
            self._is_logit = description.presence.logit
        self.locate(np.zeros((1, CROP_SIZE, CROP_SIZE), np.uint8))

    def locate(self, crops: ImageArray) -> Located:
        """Return the landmarks in ``crops``, ``(N, 224, 224)`` grey uint8; presence 1 if none is told.

        Raises :class:`~tracker.errors.WeightsError` if the outputs have other shapes than described.
        """
        batch = self._picture.batch(_resampled(crops, self._picture.size), self._kind)
        parts = np.split(batch, len(batch)) if self._one_by_one else [batch]
        outputs = [self._session.run(part) for part in parts]
        points = np.concatenate([self._decoded(output[self._points_at]) for output in outputs])
        presence: FloatArray = np.ones(len(crops))
        if self._presence_at is not None:
            presence = np.concatenate([output[self._presence_at].ravel() for output in outputs])
            presence = sigmoid(presence) if self._is_logit else presence
        if len(points) != len(crops) or len(presence) != len(crops):
            raise WeightsError(f"{self._where}: {len(crops)} crops gave {len(points)} faces")
        return Located((points + 0.5) * self._scale - 0.5, presence)

    @property
    def _scale(self) -> FloatArray:
        """Crop pixels per pixel of the input, for x and y."""
        return CROP_SIZE / np.array(self._picture.size, np.float64)

    def _decoded(self, output: FloatArray) -> FloatArray:
        """Return the points ``(N, P, 2)`` of an output, in pixels of the input whose centres are whole."""
        output = output.astype(np.float64)
        if self._points.layout == "heatmaps":
            return self._decoded_maps(output)
        numbers = 3 if self._points.layout == "xyz" else 2
        n_points = self.scheme.n_points
        if output.ndim == 0 or output[0].size != numbers * n_points:
            raise WeightsError(
                f"{self._where}: the points' output has the shape {output.shape}; {self.scheme} need "
                f"(N, {n_points}, {numbers}) or (N, {numbers * n_points}): correct layout or [scheme]"
            )
        if self._points.layout == "xxyy":
            points = output.reshape(len(output), 2, n_points).swapaxes(1, 2)
        else:
            points = output.reshape(len(output), n_points, numbers)[..., :2]
        size = np.array(self._picture.size)
        if self._points.units == "-1..1":
            points = (points + 1) / 2 * size
        elif self._points.units == "0..1":
            points = points * size
        return points - self._points.pixel_centre

    def _decoded_maps(self, maps: FloatArray) -> FloatArray:
        """Return the points ``(N, P, 2)`` of heatmaps ``(N, P, H, W)``.

        Each is the cell with the largest value, moved a quarter of a cell towards the larger neighbour: A.
        Newell et al., "Stacked Hourglass Networks for Human Pose Estimation", ECCV 2016.
        """
        n_points = self.scheme.n_points
        if maps.ndim != 4 or maps.shape[1] != n_points or 0 in maps.shape:
            raise WeightsError(
                f"{self._where}: the points' output has the shape {maps.shape}; {self.scheme} need heatmaps "
                f"(N, {n_points}, H, W): correct layout or [scheme]"
            )
        if not np.isfinite(maps).all():
            raise WeightsError(f"{self._where} gives heatmaps that are not finite")
        count, _, height, width = maps.shape
        best = maps.reshape(count, n_points, -1).argmax(axis=2)
        rows, columns = np.divmod(best, width)
        # Beyond the border the map goes on as a mirror shows it: there is no larger neighbour.
        padded = np.pad(maps, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
        which = np.arange(count)[:, None], np.arange(n_points)[None]
        right = padded[(*which, rows + 1, columns + 2)] - padded[(*which, rows + 1, columns)]
        below = padded[(*which, rows + 2, columns + 1)] - padded[(*which, rows, columns + 1)]
        cells = np.stack([columns + np.sign(right) / 4, rows + np.sign(below) / 4], axis=2)
        return np.asarray((cells + 0.5) * (np.array(self._picture.size) / (width, height)) - 0.5)


class CheckedLandmarker:
    """A landmarker whose answers are checked: points near the crop, probabilities 0..1, all finite.

    The tracker relies on that, and a network of any origin may break it. ``where`` names the model in errors.
    """

    def __init__(self, landmarker: Landmarker, where: str) -> None:
        self.scheme = landmarker.scheme
        self._landmarker = landmarker
        self._where = where

    def locate(self, crops: ImageArray) -> Located:
        """Return the landmarks in ``crops``; WeightsError for impossible ones."""
        points, presence, quality = self._landmarker.locate(crops)
        count, n_points = len(crops), self.scheme.n_points
        shapes = [points.shape, presence.shape] + ([] if quality is None else [quality.shape])
        if shapes != [(count, n_points, 2), (count,), (count, n_points)][: len(shapes)]:
            raise WeightsError(f"{self._where} gives outputs of the shapes {shapes} for {count} crops")
        if not np.abs(points).max(initial=0) <= _MOST_SIDES * CROP_SIZE:  # in this form it refuses NaN
            raise WeightsError(f"{self._where} gives points that are not finite, or far outside of its crop")
        good = None if quality is None else self._probability(quality, "quality")
        return Located(points, self._probability(presence, "presence"), good)

    def _probability(self, values: FloatArray, what: str) -> FloatArray:
        low, high = values.min(initial=0), values.max(initial=1)
        if not (low >= -ROUNDING and high <= 1 + ROUNDING):
            raise WeightsError(
                f"{self._where} gives a {what} of {low if low < 0 else high:.3g}, which is no probability: "
                "log-odds are described by logit = true in [model.presence]"
            )
        return np.clip(values, 0.0, 1.0)


class JudgedLandmarker:
    """A landmarker without a presence of its own, with that which a ``judge`` sees in the same crops."""

    def __init__(self, landmarker: Landmarker, judge: Landmarker) -> None:
        self.scheme = landmarker.scheme
        self._landmarker = landmarker
        self._judge = judge

    def locate(self, crops: ImageArray) -> Located:
        """Return the points of the one and the presence of the other, in ``crops`` ``(N, 224, 224)`` grey."""
        return self._landmarker.locate(crops)._replace(presence=self._judge.locate(crops).presence)


def sigmoid(logits: FloatArray) -> FloatArray:
    """Return the probabilities of log-odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -100, 100))))


def _resampled(crops: ImageArray, size: tuple[int, int]) -> ImageArray:
    """Return ``crops`` ``(N, 224, 224)`` at ``size`` = (width, height) pixels."""
    if size == crops.shape[1:]:
        return crops
    method = cv2.INTER_AREA if _SHRINKS_ALIASED * max(size) <= CROP_SIZE else cv2.INTER_LINEAR
    return np.stack([np.asarray(cv2.resize(crop, size, interpolation=method), np.uint8) for crop in crops])
