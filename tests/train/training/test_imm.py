import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file

from tests.train.imm_files import write_imm
from train.config import (
    Stage,
    TrainConfig,
)
from train.configs.face58 import CONFIG as FACE58
from train.configs.nose import CONFIG as NOSE
from train.data.imm import ImmCrops, imm_shots, mean_points, split_people
from train.data.leaks import LeakError
from train.data.splits import training_faces
from train.errors import DataError, RunError
from train.models.imm import SPECS, ImmLandmarks
from train.models.load import load_network
from train.models.losses import LandmarkLoss, Loss
from train.studies.noses import measured_crops, predict
from train.training.imm import (
    IMM,
    OTHERS,
    face58_nme_percent,
    imm_task,
    nose_error_px,
    train_imm,
)
from train.training.options import RunOptions

TINY = replace(NOSE, model="nose-fan", stages=(Stage(80, 3, 1e-3),), batch_size=4)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_nose_error_is_the_euclidean_distance_in_pixels() -> None:
    truth = np.array([[[0.1, 0.2]], [[0.0, 0.0]]])
    predicted = truth + np.array([[[3, 4]], [[0, -12]]]) / 640
    assert nose_error_px(predicted, truth) == pytest.approx([5.0, 12.0])


def test_the_nme_of_58_points_is_relative_to_the_outer_eye_corners() -> None:
    truth = np.zeros((2, 58, 2))
    truth[:, 13] = (0.2, 0.0)
    truth[1, 21] = (-0.2, 0.3)  # 0.5 from point 13
    predicted = truth.copy()
    predicted[:, 7] += (0.0, 0.29)
    assert face58_nme_percent(predicted, truth) == pytest.approx(
        [100 * 0.29 / 58 / 0.2, 100 * 0.29 / 58 / 0.5]
    )


@pytest.mark.parametrize("model", sorted(SPECS))
def test_an_untrained_network_has_the_error_of_the_mean_face(
    tiny_imm: Path, tmp_path: Path, model: str
) -> None:
    """The first validation equals a prediction from the labels alone."""
    config = replace(TINY, model=model, stages=(Stage(SPECS[model].size, 1, 1e-9),))
    weights = train_imm(config, tiny_imm, 4, RunOptions(tmp_path / "run"))
    assert weights is not None
    crops = measured_crops(tiny_imm, model)
    predicted, truth = predict(model, weights, crops)
    training, validation = split_people(imm_shots(tiny_imm))
    start = mean_points(training[:4], SPECS[model].keep)
    error = nose_error_px if len(SPECS[model].keep) == 1 else face58_nme_percent
    labels = np.stack([crops[i][1].numpy() for i in range(len(validation))])
    assert truth == pytest.approx(labels)
    assert error(predicted, truth) == pytest.approx(
        error(np.broadcast_to(start, truth.shape), truth), rel=1e-3
    )


def test_stages_train_on_the_pictures_that_they_name(tiny_imm: Path) -> None:
    training, validation = split_people(imm_shots(tiny_imm))
    others, _ = training_faces(tiny_imm)
    stages = tuple(Stage(80, 1, 1e-3, sets) for sets in ((OTHERS,), (IMM,), ()))
    task = imm_task(replace(TINY, stages=stages), training, validation, others)
    assert task.training == len(training) + len(others)
    chosen = [list(task.indices(stage)) for stage in stages]
    assert chosen[1] == list(range(len(training)))
    assert chosen[0] == list(range(len(training), task.training))
    assert chosen[2] == list(range(task.training))
    crops, _ = task.read(lambda: None)
    assert len(crops) == task.training
    assert imm_task(TINY, training, validation).data != task.data
    with pytest.raises(DataError, match="trains on 300w"):
        imm_task(replace(TINY, stages=stages), training, validation)


def test_the_task_has_the_unit_of_its_error(tiny_imm: Path) -> None:
    training, validation = split_people(imm_shots(tiny_imm))
    assert imm_task(TINY, training, validation).unit == "px of 640x480"
    assert imm_task(replace(TINY, model="face58"), training, validation).unit == "% NME"


@pytest.fixture(scope="module")
def whole_run(tiny_imm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    weights = train_imm(TINY, tiny_imm, 8, RunOptions(tmp_path_factory.mktemp("runs") / "whole"))
    assert weights is not None
    return weights


def test_an_interrupted_and_resumed_run_ends_with_the_same_weights(
    tiny_imm: Path, whole_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = LandmarkLoss.with_terms, []

    def interrupt(*args: Any) -> Loss:
        calls.extend([1] * torch.is_grad_enabled())
        if len(calls) == 4:  # two steps an epoch: in the middle of the second
            raise KeyboardInterrupt
        return real(*args)

    options = RunOptions(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(LandmarkLoss, "with_terms", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train_imm(TINY, tiny_imm, 8, options)
    again = train_imm(TINY, tiny_imm, 8, replace(options, resume=True))
    assert again is not None
    whole, resumed = load_file(whole_run), load_file(again)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_weights_reload_with_their_size(whole_run: Path) -> None:
    loaded = load_network("nose-fan", whole_run)
    assert loaded.size == 80
    assert isinstance(loaded.network, ImmLandmarks)
    with pytest.raises(RunError, match="does not hold nose-funnel"):
        load_network("nose-funnel", whole_run)


def test_the_network_overfits_four_shots(tiny_imm: Path) -> None:
    """Without augmentation the error on the training shots falls to a tenth of the mean face's."""
    training = split_people(imm_shots(tiny_imm))[0][:4]
    crops = ImmCrops(training, 80, (52,))
    network = ImmLandmarks("nose-funnel", mean_points(training, (52,)))
    pictures, points = (torch.stack([crops[i][k] for i in range(4)]) for k in (0, 1))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, 100)
    errors = []
    for _ in range(100):
        output = network(pictures)
        errors.append(nose_error_px(output.points.detach().numpy(), points.numpy()).mean())
        optimizer.zero_grad()
        torch.autograd.backward(NOSE.loss(output, points, torch.ones(4)))
        optimizer.step()
        schedule.step()
    assert errors[-1] < errors[0] / 10


@pytest.mark.parametrize("config", [NOSE, FACE58])
def test_the_shipped_recipes_fit_their_networks(config: TrainConfig) -> None:
    assert {stage.size for stage in config.stages} == {SPECS[config.model].size}
    assert config.recipe.background == 0


def test_untrainable_configurations_are_refused(tiny_imm: Path, tmp_path: Path) -> None:
    options = RunOptions(tmp_path / "out")
    with pytest.raises(RunError, match="nose-fan sees pictures of 80 pixels"):
        train_imm(replace(TINY, stages=(Stage(240, 1, 1e-3),)), tiny_imm, 0, options)
    with pytest.raises(RunError, match="'resnet18' is not one of"):
        train_imm(replace(TINY, model="resnet18"), tiny_imm, 0, options)
    with pytest.raises(DataError, match=r"no \.asf files"):
        train_imm(TINY, tmp_path, 0, options)
    others = write_imm(tmp_path / "others", (33,), shots=1)
    with pytest.raises(DataError, match="no training faces"):
        train_imm(TINY, others, 0, options)


def test_a_validation_picture_among_the_training_people_is_refused(tiny_imm: Path, tmp_path: Path) -> None:
    """With another person's name, smaller and darker, it is recognised by its appearance only."""
    folder = tmp_path / "imm_face_db"
    shutil.copytree(tiny_imm / "imm_face_db", folder)
    image = cv2.imread(str(folder / "33-1m.png"))
    assert image is not None
    small = cv2.resize((0.8 * image).astype(np.uint8), None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    assert cv2.imwrite(str(folder / "01-1m.png"), small)
    shutil.copy(folder / "33-1m.asf", folder / "01-1m.asf")
    label = folder / "01-1m.asf"
    label.write_text(label.read_text().replace("33-1m.png", "01-1m.png"))
    with pytest.raises(LeakError, match=r"01-1m\.png gives away .*33-1m\.png, which is held out"):
        train_imm(TINY, tmp_path, 0, RunOptions(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
