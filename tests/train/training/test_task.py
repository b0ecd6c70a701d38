from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")


from tests.train.training.runs import CONFIG, Faces
from train.config import Stage
from train.errors import DataError, RunError
from train.training.task import landmark_task


def test_a_stage_trains_on_its_sets_only(faces: Faces) -> None:
    mixed = [replace(face, subset=name) for face, name in zip(faces[0], ["afw", "helen"] * 5, strict=True)]
    stages = (Stage(32, 1, 1e-2, sets=("helen",)), Stage(32, 1, 1e-2))
    task = landmark_task(replace(CONFIG, stages=stages), mixed, faces[1])
    assert list(task.indices(stages[0])) == [1, 3, 5, 7, 9]
    assert list(task.indices(stages[1])) == list(range(10))


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (Stage(32, 1, 1e-2, sets=("hellen",)), "hellen.*known sets are afw"),
        (Stage(80, 1, 1e-2), "multiples of 32"),
    ],
)
def test_a_stage_that_cannot_run_is_refused_before_training(
    faces: Faces, stage: Stage, expected: str
) -> None:
    with pytest.raises((DataError, RunError), match=expected):
        landmark_task(replace(CONFIG, stages=(CONFIG.stages[0], stage)), *faces)
