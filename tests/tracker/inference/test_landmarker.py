"""Landmark models: inputs and outputs, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.shapes import canonical_points
from tracker.errors import WeightsError
from tracker.inference.landmarker import FakeLandmarker, OnnxLandmarker


class StubSession:
    """Session that returns the given outputs for each crop of a batch."""

    provider = "stub"
    prepares_each_shape = False

    def __init__(self, *outputs: npt.NDArray[Any]) -> None:
        self.outputs = outputs
        self.batches: list[npt.NDArray[Any]] = []

    def run(self, batch: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        self.batches.append(batch)
        return [np.repeat(output, len(batch), axis=0) for output in self.outputs]


GOOD = (np.zeros((1, 68, 2), np.float32), np.ones(1, np.float32))


def test_crops_go_to_the_model_in_one_batch() -> None:
    session = StubSession(*GOOD)
    crops = np.random.default_rng(0).integers(0, 256, (3, 224, 224), np.uint8)
    points, presence, quality = OnnxLandmarker(session).locate(crops)
    batch = session.batches[-1]
    assert batch.shape == (3, 1, 224, 224)
    assert batch.dtype == np.uint8
    assert np.array_equal(batch[:, 0], crops)
    assert points.shape == (3, 68, 2)
    assert presence.shape == (3,)
    assert quality is None


@pytest.mark.parametrize(("prepares", "sizes"), [(False, [1]), (True, [3, 2, 1])])
def test_each_batch_size_is_run_once_if_the_runtime_prepares_it(prepares: bool, sizes: list[int]) -> None:
    session = StubSession(*GOOD)
    session.prepares_each_shape = prepares
    OnnxLandmarker(session, faces=3)
    assert [len(batch) for batch in session.batches] == sizes


@pytest.mark.parametrize(
    "outputs",
    [
        (GOOD[0],),
        (GOOD[1], GOOD[0]),
        (np.zeros((1, 136)), GOOD[1]),
        (np.zeros((1, 98, 2)), GOOD[1]),
        (*GOOD, np.ones((1, 1))),
        (*GOOD, np.ones((1, 68)), np.ones((1, 68))),
        (),
    ],
)
def test_a_model_with_other_outputs_is_refused(
    outputs: tuple[npt.NDArray[Any], ...],
) -> None:
    with pytest.raises(WeightsError, match="must return"):
        OnnxLandmarker(StubSession(*outputs))


def test_the_fake_returns_its_points_for_each_crop_and_counts() -> None:
    fake = FakeLandmarker(canonical_points(), 0.25)
    points, presence, quality = fake.locate(np.zeros((4, 224, 224), np.uint8))
    assert points.shape == (4, 68, 2)
    assert presence.tolist() == [0.25] * 4
    assert quality is None
    assert fake.crops_seen == 4


def test_a_model_may_estimate_the_quality_of_each_point() -> None:
    quality = np.linspace(0, 1, 68, dtype=np.float32)[None]
    located = OnnxLandmarker(StubSession(*GOOD, quality)).locate(np.zeros((2, 224, 224), np.uint8))
    assert located.quality is not None
    assert np.array_equal(located.quality, np.repeat(quality, 2, axis=0))
