import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

import torch
from lightning_fabric import Fabric

from tests.disk import file_size_limit
from tests.train.training.runs import (
    CONFIG,
    Faces,
    StopsAt,
    WholeRun,
    log_of,
    network,
    same_weights,
    train,
    untimed,
)
from train.errors import RunError
from train.training.folder import LOG, SAMPLES
from train.training.options import LAST, RunOptions
from train.training.record import CONFIG as CONFIG_JSON


@pytest.mark.parametrize("step", [1, 3, 5, 7])
def test_an_interrupted_and_resumed_run_ends_with_the_same_weights(
    faces: Faces, whole_run: WholeRun, fabric: Fabric, tmp_path: Path, step: int
) -> None:
    """With two steps an epoch, it stops within each of the four epochs, around a change of stage."""
    with pytest.raises(KeyboardInterrupt):
        train(network(), faces, RunOptions(tmp_path), fabric, loss=StopsAt(step, KeyboardInterrupt()))
    assert (tmp_path / LAST).exists() == (step > 1)
    model = train(network(), faces, RunOptions(tmp_path, resume=True), fabric)
    assert same_weights(model, whole_run[1])
    assert untimed(log_of(tmp_path)) == untimed(log_of(whole_run[0]))


def test_resuming_a_complete_run_only_returns_its_model(
    faces: Faces, whole_run: WholeRun, fabric: Fabric, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.training.task.FaceCrops", None)  # no image is read again
    out, first = whole_run
    before = (out / LAST).read_bytes(), (out / LOG).read_bytes()
    assert same_weights(train(network(), faces, RunOptions(out, resume=True), fabric), first)
    assert ((out / LAST).read_bytes(), (out / LOG).read_bytes()) == before


def test_an_existing_run_is_not_overwritten(faces: Faces, whole_run: WholeRun, fabric: Fabric) -> None:
    with pytest.raises(RunError, match="--resume"):
        train(network(), faces, RunOptions(whole_run[0]), fabric)


def test_a_checkpoint_of_another_configuration_is_refused(
    faces: Faces, whole_run: WholeRun, fabric: Fabric
) -> None:
    other = replace(CONFIG, weight_decay=0.5)
    with pytest.raises(RunError, match="another configuration"):
        train(network(), faces, RunOptions(whole_run[0], resume=True), fabric, config=other)


def test_a_checkpoint_of_other_pictures_is_refused(faces: Faces, whole_run: WholeRun, fabric: Fabric) -> None:
    """Also if a picture only changed sides: a validation picture would be trained on."""
    for other in ((faces[0][:9], faces[1]), (faces[0] + faces[1][:1], faces[1][1:])):
        with pytest.raises(RunError, match="other pictures"):
            train(network(), other, RunOptions(whole_run[0], resume=True), fabric)


def test_a_resumed_run_may_have_another_init(faces: Faces, whole_run: WholeRun, fabric: Fabric) -> None:
    moved = replace(CONFIG, init="elsewhere/first.onnx")
    assert same_weights(
        train(network(), faces, RunOptions(whole_run[0], resume=True), fabric, config=moved), whole_run[1]
    )


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "text", "other"])
def test_a_damaged_checkpoint_is_refused_in_one_line(
    faces: Faces, whole_run: WholeRun, fabric: Fabric, tmp_path: Path, damage: str
) -> None:
    good, bad = (whole_run[0] / LAST).read_bytes(), tmp_path / LAST
    contents = {
        "empty": b"",
        "cut": good[: len(good) * 2 // 3],
        "noise": np.random.default_rng(0).bytes(999),
        "text": b"epoch 3\n",
    }
    if damage == "other":
        torch.save({"epoch": 3}, bad)
    else:
        bad.write_bytes(contents[damage])
    with pytest.raises(RunError, match=LAST) as caught:
        train(network(), faces, RunOptions(tmp_path, resume=True), fabric)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_that_does_not_fit_leaves_no_partial_file(
    faces: Faces, fabric: Fabric, tmp_path: Path
) -> None:
    message = r"last\.ckpt cannot be written.*--resume"
    few = faces[0][:4], faces[1]  # whose pictures fit
    with file_size_limit(450_000), pytest.raises(RunError, match=message) as caught:
        train(network(), few, RunOptions(tmp_path), fabric)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob(f"{LAST}*"))


def test_the_previous_checkpoint_survives_a_full_disk(
    faces: Faces,
    whole_run: WholeRun,
    fabric: Fabric,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saves = []
    real = fabric.save

    def save(path: Path, state: dict[str, Any]) -> None:
        saves.append(path)
        if len(saves) == 3:
            path.write_bytes(b"half a checkpoint")
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, state)

    with monkeypatch.context() as patch:
        patch.setattr(fabric, "save", save)
        with pytest.raises(RunError, match="No space left"):
            train(network(), faces, RunOptions(tmp_path), fabric)
    assert {path.name for path in tmp_path.iterdir()} == {LAST, LOG, CONFIG_JSON, *SAMPLES, "tensorboard"}
    assert torch.load(tmp_path / LAST, weights_only=True)["epoch"] == 2
    assert same_weights(train(network(), faces, RunOptions(tmp_path, resume=True), fabric), whole_run[1])
