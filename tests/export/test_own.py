"""Export of a model of one's own: it brings its scheme along, and touches nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

pytest.importorskip("torch")

import torch

from export import own as exported
from export import own_box
from export.options import WEIGHTS
from export.own import OwnModel, write_own
from export.own_box import CropFit, fit_crop
from tests.export.models import Run, contents
from tests.tiny import write_300w
from tests.train.data.own_pictures import KITE, kites, write_labels, write_pictures
from tracker.geometry import CropTransform
from tracker.inference.backends import open_session
from tracker.inference.landmark_models import MODEL_KEY, find_landmark_model
from tracker.inference.landmarker import OnnxLandmarker
from tracker.inference.weights import find_model
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.plain import SCHEME_KEY, from_plain, to_plain
from tracker.types import FaceBox
from train.data.own_split import OwnData
from train.errors import RunError
from train.models.registry import build
from train.models.trained import FROM_SHIPPED, goes_back_to_shipped, scheme_of_weights
from train.training.record import KIND
from train.training.run import write_weights

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled kites, and the weights of a network that has learnt nothing of them."""
    path = tmp_path_factory.mktemp("kites")
    write_pictures(path, list(kites(10)))
    write_labels(path, ".csv", kites(10))
    record = {
        "kind": KIND,
        "model": "unet-light",
        "scheme": to_plain(KITE),
        "own": {"source": str(path), "validation": "0.4", "person": "", "rule": "", "init": "shipped"},
        "data": {"training": {"own": 6}, "validation": 4},
        "recipe": {"stages": [{"epochs": 3}]},
        "seed": 0,
    }
    torch.manual_seed(0)
    write_weights(build("unet-light", KITE.n_points), 32, path / "own.safetensors", record)
    return path


def metadata(path: Path) -> dict[str, object]:
    """Return the metadata of a model, decoded."""
    return {entry.key: json.loads(entry.value) for entry in onnx.load(path).metadata_props}


def test_a_model_that_has_learnt_nothing_is_exported_with_a_warning_and_without_quality(
    folder: Path, tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(WEIGHTS)
    out = tmp_path / "kite.onnx"
    run(
        *("landmarks", "--checkpoint", folder / "own.safetensors", "--data", folder, "--out", out),
        *("--licence", "ours alone"),
    )
    told = capsys.readouterr().err
    assert "warning: the quality of points cannot be calibrated" in told
    assert "finds 0 of 6 labelled faces" in told or "finds 0 of 7 labelled faces" in told
    found = metadata(out)
    assert from_plain(found[SCHEME_KEY]) == KITE
    assert scheme_of_weights(out) == find_landmark_model(str(out)).scheme == KITE
    about = found[MODEL_KEY]
    assert isinstance(about, dict)
    assert about["name"] == "kite"
    assert about["admission"] == {}
    assert about["licence"].startswith("ours alone; it started from the shipped unet-light: research use")
    assert about["training"]["faces"] == 6
    assert str(folder) not in json.dumps(found)
    landmarker = OnnxLandmarker(open_session(out, "cpu"), scheme=KITE)
    located = landmarker.locate(np.zeros((2, 224, 224), np.uint8))
    assert located.points_crop.shape == (2, 5, 2)
    assert located.quality is None
    assert contents(WEIGHTS) == before


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_other_precisions_keep_contract_and_scheme(
    folder: Path, tmp_path: Path, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model whose faces the detector finds admits new ones as the shipped model does.

    In pictures of kites the tracker finds none, which is told.
    """
    rule = replace(KITE.crop, box_margin=1.5)
    monkeypatch.setattr(exported, "fit_crop", lambda faces, _: CropFit(rule, len(faces), len(faces), True))
    out = tmp_path / "kite.onnx"
    own = OwnModel(out, "", precision=precision, data=folder)  # type: ignore[arg-type]
    said: list[str] = []
    write_own(folder / "own.safetensors", own, said.append)
    assert re.search(r"finds a face in 0 of \d validation pictures: .*train longer", said[-1])
    found = metadata(out)
    assert from_plain(found[SCHEME_KEY]).mirror == KITE.mirror
    assert from_plain(found[SCHEME_KEY]).crop == rule
    about = found[MODEL_KEY]
    assert isinstance(about, dict)
    assert about["precision"] == precision
    assert about["admission"] == find_model("unet-light", "landmarks").meta["admission"]
    session = open_session(out, "cpu")
    assert OnnxLandmarker(session, scheme=KITE).locate(np.zeros((1, 224, 224), np.uint8)).presence.shape == (
        1,
    )


def test_a_trial_that_is_interrupted_leaves_the_model(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has passed parity before."""

    def interrupt(model: Path, *_: object) -> None:
        assert SCHEME_KEY in metadata(model)
        raise KeyboardInterrupt

    monkeypatch.setattr(exported, "fit_crop", lambda faces, _: CropFit(KITE.crop, len(faces), 1, True))
    monkeypatch.setattr(exported, "warning_of", interrupt)
    out = tmp_path / "kite.onnx"
    with pytest.raises(KeyboardInterrupt):
        write_own(folder / "own.safetensors", OwnModel(out, "", data=folder), lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["kite.onnx"]


@pytest.mark.parametrize(
    "told", [{"own": {"init": "own.onnx", "shipped": True}}, {FROM_SHIPPED: True}], ids=["own", "ibug68"]
)
def test_the_licence_of_the_shipped_weights_is_told_also_behind_a_file(
    tmp_path: Path, told: dict[str, object]
) -> None:
    record = {"model": "unet-light", "scheme": to_plain(KITE), **told}
    write_weights(build("unet-light", KITE.n_points), 32, tmp_path / "own.safetensors", record)
    out = tmp_path / "kite.onnx"
    write_own(tmp_path / "own.safetensors", OwnModel(out, "", licence="ours"), lambda _: None)
    about = metadata(out)[MODEL_KEY]
    assert isinstance(about, dict)
    assert about["licence"].startswith(
        "ours; it started from a file that goes back to a shipped model: research"
    )
    assert goes_back_to_shipped(out)


def test_int8_needs_pictures_to_measure_its_ranges_on(folder: Path, tmp_path: Path) -> None:
    own = OwnModel(tmp_path / "kite.onnx", "", precision="int8")
    with pytest.raises(RunError, match="say --data FOLDER, too"):
        write_own(folder / "own.safetensors", own, lambda _: None)


def test_the_file_of_a_scheme_is_not_taken_for_the_models_description(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "kite.toml").write_text('name = "kite"')
    with pytest.raises(
        RunError, match=r"would read .*kite\.toml as the model's description: give another --out"
    ):
        write_own(folder / "own.safetensors", OwnModel(tmp_path / "kite.onnx", ""), lambda _: None)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--out", WEIGHTS / "kite.onnx"),
        ("--out", "kite.onnx", "--ship"),
        ("--out", "models", "--licence", "ours"),
        ("--out", "models", "--precision", "int8"),
        ("--out", "kite.onnx", "--licence", "two\nlines"),
        ("--out", "kite.onnx", "--licence", "long " * 30),
    ],
)
def test_a_model_of_ones_own_is_never_shipped(
    folder: Path, run: Run, arguments: tuple[object, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    before = contents(WEIGHTS)
    with pytest.raises(SystemExit) as left:
        run("landmarks", "--checkpoint", folder / "own.safetensors", *arguments)
    assert left.value.code == 2
    assert contents(WEIGHTS) == before
    assert list(tmp_path.iterdir()) == []


class _Detector:
    """A detector whose boxes are those of the labels, shrunk, shifted and turned in a known way."""

    def __init__(self, boxes: list[FaceBox]) -> None:
        self.boxes = boxes

    def views(self, _: tuple[int, int]) -> list[object]:
        return []

    def detect(self, *_: object) -> list[FaceBox]:
        return [FaceBox(0, 0, 3, 3), self.boxes.pop(0)]


def test_the_crop_around_a_box_is_that_around_the_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A box of half the size beside the points' square leads to the same crop by the fitted rule."""
    from train.data.splits import official_training_faces

    faces = official_training_faces(write_300w(tmp_path, train=8))[:8]
    boxes, crops = [], []
    for face in faces:
        crop = CropTransform.from_points(face.points)
        longer = crop.side / IBUG68.crop.margin / 2
        cos, sin = np.cos(crop.angle), np.sin(crop.angle)
        x = crop.center[0] - longer * (0.2 * cos - 0.1 * sin)
        y = crop.center[1] - longer * (0.2 * sin + 0.1 * cos)
        half = longer / 2
        boxes.append(FaceBox(x - half, y - half, x + half, y + half, roll_rad=crop.angle))
        crops.append(crop)
    monkeypatch.setattr(own_box, "open_blazeface", lambda **_: _Detector(list(boxes)))
    fit = fit_crop(faces, IBUG68)
    assert fit.fitted
    assert fit.rule.margin == IBUG68.crop.margin
    for box, crop in zip(boxes, crops, strict=True):
        placed = CropTransform.from_box(box, fit.rule)
        np.testing.assert_allclose(placed.center, crop.center, atol=1e-3 * crop.side)
        assert placed.side == pytest.approx(crop.side, rel=1e-3)
        assert placed.angle == crop.angle


def test_without_faces_the_crop_stays_that_of_the_scheme(folder: Path) -> None:
    fit = fit_crop(OwnData(folder, "0.4").read(KITE).training, KITE)
    assert not fit.fitted
    assert fit.rule == KITE.crop
    assert "--detector none" in str(fit)
