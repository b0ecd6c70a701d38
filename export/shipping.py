"""Shipping: an exported model becomes a shipped one if it is no worse than the model that it replaces.

Models are compared on validation faces, never on test faces. The replaced file stays until the comparison has
been passed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from export.blazeface import NAME as DETECTOR
from export.fit_box import box_errors
from export.manifest import copy_entry, update_meta
from export.parity import Faces, locate
from tracker.errors import WeightsError
from tracker.inference.backends import open_session
from tracker.inference.landmarker import OnnxLandmarker
from tracker.inference.weights import MANIFEST, ModelFile, find_model, load_manifest
from train.data.asf import Shot
from train.data.imm import ImmCrops, imm_shots, split_people
from train.data.splits import training_faces
from train.errors import DataError
from train.models.imm import imm_spec
from train.models.load import load_network
from train.training.imm import face58_nme_percent, nose_error_px

SAME = 0.01
"""Differences of error that are no loss, in the unit of the error: as far as model cards print it."""

VARIANT_LOSS = 0.2
"""Largest loss of NME, in points, of a variant that replaces none against the model that it stands in for."""


@dataclass(frozen=True)
class Verdict:
    """Mean error of a model and of the one that it replaces over the same ``faces``, in ``unit``.

    ``before`` is None if it replaces none.
    """

    faces: int
    unit: str
    error: float
    before: float | None

    def __str__(self) -> str:
        compared = "it replaces none" if self.before is None else f"{self.before:.2f} {self.unit} before"
        return f"{self.error:.2f} {self.unit} on {self.faces} validation faces, {compared}"

    def loses(self, allowed: float = 0.0) -> bool:
        """Return whether the model is worse by more than ``allowed`` points."""
        return self.before is not None and self.error > self.before + allowed + SAME

    def refuse_worse(self, name: str, may_lose: float = 0.0) -> None:
        """Raise :class:`~tracker.errors.WeightsError` if the model is worse by more than ``may_lose``."""
        if not np.isfinite(self.error):
            raise WeightsError(f"{name} is not shipped: its error on the validation faces is {self.error}")
        if self.before is not None and self.loses(may_lose):
            raise WeightsError(
                f"{name} is not shipped, it is worse: {self}; the shipped one stays. If it is better "
                f"elsewhere, say --may-lose {np.ceil(100 * (self.error - self.before)) / 100:.2f}"
            )


@dataclass(frozen=True)
class Judge:
    """Measure of models: ``measure`` returns the mean error of a model's file over ``faces`` in ``unit``."""

    faces: int
    unit: str
    measure: Callable[[Path], float]

    def compare(self, new: ModelFile, before: ModelFile | None) -> Verdict:
        """Measure both files. Raises :class:`~tracker.errors.WeightsError` if one is damaged."""
        error = self.measure(new.verified())
        return Verdict(self.faces, self.unit, error, self.measure(before.verified()) if before else None)


def landmark_judge(data: Path) -> Judge:
    """Return the NME from the label box over the validation faces below ``data``, by ONNX Runtime's CPU.

    Raises :class:`~train.errors.DataError` if there are none.
    """
    labelled = training_faces(data)[1]
    if not labelled:
        raise DataError(f"{data} has no validation faces to compare on")
    faces = Faces(labelled)

    def measure(path: Path) -> float:
        return faces.nme(locate(OnnxLandmarker(open_session(path, "cpu")), faces))

    return Judge(len(labelled), "% NME", measure)


def study_judge(name: str, data: Path) -> Judge:
    """Return the error of the IMM network ``name`` on the validation people of the database below ``data``.

    Raises :class:`~train.errors.DataError` if they are not there.
    """
    shots = split_people(imm_shots(data))[1]
    if not shots:
        raise DataError(f"{data}: the IMM Face Database there has none of the validation people")
    one_point = len(imm_spec(name).keep) == 1
    unit = "px of 640x480" if one_point else "% NME"
    return Judge(len(shots), unit, lambda path: _study_error(name, path, shots))


@torch.inference_mode()
def _study_error(name: str, path: Path, shots: Sequence[Shot]) -> float:
    loaded, keep = load_network(name, path), imm_spec(name).keep
    crops = ImmCrops(shots, loaded.size, keep)
    samples = [crops[index] for index in range(len(crops))]
    found = loaded.network(torch.stack([picture for picture, _, _ in samples])).points.numpy()
    truth = np.stack([points.numpy() for _, points, _ in samples])
    error = nose_error_px if len(keep) == 1 else face58_nme_percent
    return float(error(found, truth).mean())


def ship_box(out: Path, weights: Path, data: Path) -> Verdict:
    """Put the box correction in the manifest of ``out`` into that of ``weights`` if it is no worse.

    Compared is the median error of boxes on validation faces. Raises
    :class:`~tracker.errors.WeightsError`, with ``weights`` unchanged, if it is worse.
    """
    errors, before = box_errors(data, out), box_errors(data, weights)
    verdict = Verdict(len(errors), "% of the box", float(np.median(errors)), float(np.median(before)))
    if verdict.loses():
        raise WeightsError(f"the box is not shipped, it is worse: {verdict}; the shipped one stays")
    fitted = find_model(DETECTOR, "detector", out).meta["box_correction"]
    update_meta(weights, DETECTOR, {"box_correction": fitted})
    return verdict


def ship(name: str, out: Path, weights: Path, judge: Judge, may_lose: float = 0.0) -> Verdict:
    """Copy the model ``name`` from ``out`` to ``weights`` if it is no worse than the one there.

    Its variants in ``weights`` lose their entries, since they have other weights; their files stay. Raises
    :class:`~tracker.errors.WeightsError`, with ``weights`` unchanged, if the model is worse by more than
    ``may_lose`` or a file is damaged.
    """
    shipped = load_manifest(weights) if (weights / MANIFEST).exists() else {}
    verdict = judge.compare(load_manifest(out)[name], shipped.get(name))
    verdict.refuse_worse(name, may_lose)
    copy_entry(out, weights, name)
    return verdict


def ship_variant(
    name: str, precision: str, out: Path, weights: Path, judge: Judge, may_lose: float = 0.0
) -> Verdict:
    """Copy the variant ``precision`` of ``name`` from ``out`` to ``weights`` if it is no worse than before.

    A variant that replaces none may lose :data:`VARIANT_LOSS` to the model itself. What it loses goes into
    the manifest as ``nme_loss``. Raises as :func:`ship` does, and if ``out`` has another model than
    ``weights``.
    """
    model, shipped = find_model(name, "landmarks", out), find_model(name, "landmarks", weights)
    if model.sha256 != shipped.sha256:
        raise WeightsError(
            f"{out} has another {name} than {weights}: ship that first (python -m export landmarks --ship), "
            "or give another folder as --out"
        )
    before = shipped.variants.get(precision)
    verdict = judge.compare(model.variants[precision], before or shipped)
    verdict.refuse_worse(f"{name} {precision}", may_lose if before else max(may_lose, VARIANT_LOSS))
    copy_entry(out, weights, name, precision)
    plain = judge.measure(shipped.verified()) if before else verdict.before
    assert plain is not None
    update_meta(weights, name, {"nme_loss": round(verdict.error - plain, 3)}, precision)
    return verdict
