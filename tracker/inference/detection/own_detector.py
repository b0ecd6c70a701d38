"""Face detector of one's own: an ONNX file, and a TOML file beside it that describes inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tracker.errors import WeightsError
from tracker.geometry import Raster
from tracker.inference.described import ROUNDING, sigmoid
from tracker.inference.description import errors_of, file_hash, notes_path
from tracker.inference.detection.views import View, whole_picture
from tracker.inference.graph import Graph
from tracker.inference.picture_input import PictureInput, picture_input_of
from tracker.inference.sessions import Session
from tracker.scheme.fields import Fields, flag, list_of, number, one_of, positive, text, two_numbers, whole
from tracker.scheme.toml import read_toml
from tracker.types import FaceBox, FloatArray, Frame, ImageArray

CORNERS = ("x0y0x1y1", "xywh", "cxcywh")
"""Forms of a box: two corners, a corner and the size, or the middle and the size."""

UNITS = ("pixels", "0..1")
"""Units of boxes: pixels of the input, or its width and height as 1."""

_LOGIT_REMEDY = "log-odds are described by logit = true in [detector.scores]"

MOST_BOXES = 1000
"""Largest number of boxes, the best, that are compared with each other."""


@dataclass(frozen=True)
class BoxesOutput:
    """Output with the boxes: one a row, or one a column if ``transposed``.

    ``columns`` are those of the four numbers, whose ``form`` is one of :data:`CORNERS`. The box of a face is
    ``scale`` times as large as what the network reports, and moved by ``shift`` (x, y) of its longer side.
    """

    output: str | None = None
    form: str = "x0y0x1y1"
    units: str = "pixels"
    columns: tuple[int, ...] = (0, 1, 2, 3)
    transposed: bool = False
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class ScoresOutput:
    """Output with the scores, 0..1 or log-odds if they are ``logit``: in a ``column``, one a row."""

    output: str | None = None
    column: int = 0
    transposed: bool = False
    logit: bool = False


@dataclass(frozen=True)
class DetectorDescription:
    """Inputs and outputs of a detector, read from the TOML file with that ``sha256``.

    Boxes with a score below ``threshold`` are dropped, and those that overlap a better one by an IoU above
    ``nms``.
    """

    picture: PictureInput
    boxes: BoxesOutput
    scores: ScoresOutput
    threshold: float
    nms: float
    sha256: str


def read_description(model: Path) -> DetectorDescription:
    """Read the TOML file beside the detector ``model``, with its table ``[detector]``.

    Raises :class:`~tracker.errors.WeightsError`, in one line, if it is missing or cannot be used.
    """
    path = notes_path(model)
    if not path.exists():
        raise WeightsError(f"detector {model} needs {path}, which tells what its inputs and outputs are")
    with errors_of(path):
        fields = Fields(read_toml(path), str(path))
        detector = fields.table("detector")
        fields.end()
        if detector is None:
            raise ValueError("it needs a table [detector]")
        picture, boxes, scores = (detector.table(name) for name in ("input", "boxes", "scores"))
        if picture is None or scores is None:
            raise ValueError(f"{detector.where} needs tables input and scores")
        made = DetectorDescription(
            picture_input_of(picture, square=False),
            _boxes_of(boxes) if boxes else BoxesOutput(),
            _scores_of(scores),
            detector.read("threshold", _share, 0.5),
            detector.read("nms", _share, 0.4),
            file_hash(path),
        )
        detector.end()
        picture.end()
        return made


class OwnDetector:
    """A detector of another origin as a :class:`~tracker.inference.detection.detector.FaceDetector`.

    Its only view is the whole picture, scaled to fit its input, black where that is left over. ``graph`` and
    ``description`` are those of the session's model, ``where`` names it in errors.

    The constructor runs the model on an empty picture. Raises :class:`~tracker.errors.WeightsError`, in one
    line, if the description does not fit the model.
    """

    def __init__(self, session: Session, graph: Graph, description: DetectorDescription, where: str) -> None:
        self._session = session
        self._description = description
        self._where = where
        self._kind = description.picture.kind_for(graph, where)
        graph.takes_one(where)
        self._boxes_at = graph.output_index(description.boxes.output, where)
        self._scores_at = graph.output_index(description.scores.output, where)
        width, height = description.picture.size
        self._found(np.zeros((height, width, 3), np.uint8))

    def views(self, image_hw: tuple[int, int]) -> Sequence[View]:
        """Return the whole picture of ``image_hw`` = (height, width) square pixels."""
        return [whole_picture(image_hw)]

    def detect(
        self,
        frame: Frame,
        views: Sequence[View] | None = None,  # noqa: ARG002 - it is always the whole picture
    ) -> list[FaceBox]:
        """Return the faces in ``frame``, best score first, in square pixels.

        Raises :class:`~tracker.errors.WeightsError` for impossible outputs.
        """
        shown, pixel = _scaled(Raster.of(frame), self._description.picture.size)
        boxes, scores = self._found(shown)
        corners = (boxes * np.tile(pixel, 2) - 0.5).tolist()
        return [
            FaceBox(x0, y0, x1, y1, score)
            for (x0, y0, x1, y1), score in zip(corners, scores.tolist(), strict=True)
        ]

    def _found(self, shown: ImageArray) -> tuple[FloatArray, FloatArray]:
        """Return boxes ``(N, 4)``, corners from the outer edge of the first pixel, and their scores."""
        description = self._description
        outputs = self._session.run(description.picture.batch(shown[None], self._kind))
        of_boxes, of_scores = description.boxes, description.scores
        boxes = self._columns(outputs[self._boxes_at], of_boxes.columns, of_boxes.transposed)
        scores = self._columns(outputs[self._scores_at], (of_scores.column,), of_scores.transposed)[:, 0]
        if len(boxes) != len(scores):
            raise WeightsError(f"{self._where} gives {len(boxes)} boxes and {len(scores)} scores")
        scores = sigmoid(scores) if of_scores.logit else scores
        if not (scores.min(initial=0) >= -ROUNDING and scores.max(initial=1) <= 1 + ROUNDING):
            raise WeightsError(f"{self._where} gives scores that are no probabilities: {_LOGIT_REMEDY}")
        keep = np.flatnonzero(scores >= description.threshold)
        keep = keep[np.argsort(-scores[keep], kind="stable")][:MOST_BOXES]
        corners, scores = self._corners(boxes[keep]), scores[keep]
        if not np.isfinite(corners).all():
            raise WeightsError(f"{self._where} gives boxes that are not finite")
        real = (corners[:, 2:] > corners[:, :2]).all(axis=1)
        corners, scores = corners[real], np.clip(scores[real], 0.0, 1.0)
        kept = without_overlaps(corners, scores, description.nms)
        return self._corrected(corners[kept]), scores[kept]

    def _columns(self, output: FloatArray, columns: Sequence[int], transposed: bool) -> FloatArray:
        """Return those columns ``(N, C)`` of an output ``(N, M)``, with or without a batch of one."""
        table = output.astype(np.float64)
        while table.ndim > 2 and len(table) == 1:
            table = table[0]
        if table.ndim == 1:
            table = table[:, None]
        table = table.T if transposed else table
        if table.ndim != 2 or max(columns) >= table.shape[1]:
            raise WeightsError(
                f"{self._where}: an output of the shape {output.shape} has no rows with a column "
                f"{max(columns)}: correct columns, column or transposed"
            )
        return table[:, list(columns)]

    def _corners(self, boxes: FloatArray) -> FloatArray:
        """Return boxes ``(N, 4)`` as corners in pixels of the input."""
        output = self._description.boxes
        first, second = boxes[:, :2], boxes[:, 2:]
        if output.form == "xywh":
            second = first + second
        elif output.form == "cxcywh":
            first, second = first - second / 2, first + second / 2
        corners = np.concatenate([first, second], axis=1)
        return corners * (self._description.picture.size * 2) if output.units == "0..1" else corners

    def _corrected(self, corners: FloatArray) -> FloatArray:
        output = self._description.boxes
        middle, half = (corners[:, :2] + corners[:, 2:]) / 2, (corners[:, 2:] - corners[:, :2]) / 2
        middle = middle + 2 * half.max(axis=1, keepdims=True) * np.array(output.shift)
        return np.concatenate([middle - output.scale * half, middle + output.scale * half], axis=1)


def without_overlaps(corners: FloatArray, scores: FloatArray, most_iou: float) -> list[int]:
    """Return the indices of boxes ``(N, 4)`` that overlap no better one by more, best ``scores`` first."""
    if not len(scores):
        return []
    sides = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(sides.tolist(), scores.tolist(), 0.0, most_iou)
    return [int(index) for index in np.asarray(kept).ravel()]


def _scaled(picture: Raster, size: tuple[int, int]) -> tuple[ImageArray, FloatArray]:
    """Return the picture at the top left of one of ``size``, as large as fits, black elsewhere.

    With it comes the width and height in square pixels ``(2,)`` of one of its pixels.
    """
    height, width = picture.square_hw
    scale = max(width / size[0], height / size[1])
    columns, rows = max(round(width / scale), 1), max(round(height / scale), 1)
    method = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    shown = np.zeros((size[1], size[0], 3), np.uint8)
    shown[:rows, :columns] = cv2.resize(picture.image, (columns, rows), interpolation=method)
    return shown, np.array([width / columns, height / rows])


def _share(value: object) -> float:
    if 0 <= (found := number(value)) <= 1:
        return found
    raise ValueError("a number in 0..1")


def _boxes_of(fields: Fields) -> BoxesOutput:
    boxes = BoxesOutput(
        fields.optional("output", text),
        fields.read("form", one_of(*CORNERS), "x0y0x1y1"),
        fields.read("units", one_of(*UNITS), "pixels"),
        fields.optional("columns", list_of(whole, "four numbers of columns", 4)) or (0, 1, 2, 3),
        fields.read("transposed", flag, False),
        fields.read("scale", positive, 1.0),
        fields.read("shift", two_numbers, (0.0, 0.0)),
    )
    fields.end()
    return boxes


def _scores_of(fields: Fields) -> ScoresOutput:
    scores = ScoresOutput(
        fields.optional("output", text),
        fields.read("column", whole, 0),
        fields.read("transposed", flag, False),
        fields.read("logit", flag, False),
    )
    fields.end()
    return scores
