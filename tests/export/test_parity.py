"""Every file of a model on every backend, compared with torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")


from export.landmarks import PARITY_PX
from export.parity import Faces, compare
from tracker.errors import BackendError
from tracker.geometry import CROP_SIZE
from tracker.inference import backends
from tracker.inference.weights import find_model
from train.data.splits import test_faces as read_test_faces


@pytest.mark.slow
def test_float32_has_parity_and_eight_bits_stay_close(weights: Path, data: Path) -> None:
    rows = list(compare(find_model("resnet18", "landmarks", weights), ["cpu"], Faces(read_test_faces(data))))
    plain, small = rows
    assert (plain.precision, plain.provider) == ("fp32", "CPUExecutionProvider")
    assert plain.largest_px <= PARITY_PX
    assert abs(plain.loss) < 1e-3
    assert small.precision == "int8"
    assert small.largest_px > PARITY_PX
    assert not small.holds
    assert small.mean_px < small.largest_px


@pytest.mark.slow
def test_unavailable_backends_get_a_row_and_variants_run_on_suitable_backends_only(
    weights: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BackendError("no such card")

    monkeypatch.setitem(backends.OPENERS, "cuda", refuse)
    faces = Faces(read_test_faces(data)[:2])
    rows = list(compare(find_model("resnet18", "landmarks", weights), ["cuda", "cpu"], faces))
    assert [(row.precision, row.backend) for row in rows] == [
        ("fp32", "cuda"),
        ("fp32", "cpu"),
        ("int8", "cpu"),
    ]
    assert rows[0].refusal == "no such card"
    assert not rows[0].holds


def test_labels_have_an_nme_of_zero(data: Path) -> None:
    labelled = read_test_faces(data)
    faces = Faces(labelled)
    exact = np.stack([t.to_crop(face.points) for t, face in zip(faces.transforms, labelled, strict=True)])
    assert faces.nme(exact) == pytest.approx(0, abs=1e-9)
    # One crop pixel is side / 224 image pixels for every point of a face.
    pixels = [t.side / CROP_SIZE for t in faces.transforms]
    apart = [np.linalg.norm(face.points[36] - face.points[45]) for face in labelled]
    shifted = exact + np.array((1.0, 0.0))
    assert faces.nme(shifted) == pytest.approx(100 * np.mean(np.divide(pixels, apart)), rel=1e-6)
