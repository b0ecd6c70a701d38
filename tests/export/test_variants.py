"""Eight-bit variants, and the table that holds every file on every backend against torch."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("torch")

import onnx

from export import parity, variants
from export.cli import main
from export.landmarks import PARITY_PX
from export.manifest import update_meta, write_entry
from export.parity import Faces, compare
from tests.faces import astronaut, blazeface
from tests.tiny import write_300w
from tracker.errors import BackendError, WeightsError
from tracker.geometry import CROP_SIZE, CropTransform
from tracker.inference import backends
from tracker.inference.weights import MANIFEST, find_model, weights_dir
from train.data.splits import test_faces as read_test_faces

Run = Callable[..., None]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_300w(folder)
    return folder


def copy_model(name: str, folder: Path) -> None:
    """The shipped model ``name`` alone, in float32, as a folder of weights."""
    models = json.loads((weights_dir() / MANIFEST).read_text())["models"]
    entry = {key: value for key, value in models[name].items() if key != "variants"}
    (folder / MANIFEST).write_text(json.dumps({"models": {name: entry}}))
    shutil.copy(weights_dir() / entry["file"], folder)


@pytest.fixture(scope="module")
def folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped ResNet18 with an eight-bit variant that was calibrated on drawn faces."""
    copy = tmp_path_factory.mktemp("weights")
    copy_model("resnet18", copy)
    variants.ship_int8("resnet18", copy, data)
    return copy


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(*arguments: object) -> None:
        monkeypatch.setattr(sys, "argv", ["export", *map(str, arguments)])
        try:
            main()
        except SystemExit as left:
            if left.code:
                raise

    return call


def test_the_variant_is_chosen_where_it_suits(folder: Path) -> None:
    model = find_model("resnet18", "landmarks", folder)
    small = model.best_for("cpu", ("avx2", "avx512_vnni"))
    assert small.precision == "int8"
    assert small.verified().stat().st_size < 0.6 * model.verified().stat().st_size
    assert model.best_for("openvino", ("avx2",)) is small
    assert model.best_for("cpu", ()) is model
    assert model.best_for("cuda", ("avx2",)) is model


@pytest.mark.parametrize("name", ["resnet18", "unet-light"])
def test_half_precision_is_for_cuda_and_keeps_points(name: str, tmp_path: Path, run: Run) -> None:
    """Coordinates made in float16 would be off by up to a sixteenth of a pixel on the crop's far half."""
    copy_model(name, tmp_path)
    run("fp16", "--name", name, "--weights", tmp_path)
    model = find_model(name, "landmarks", tmp_path)
    half = model.best_for("cuda", ())
    assert half.precision == "fp16"
    assert model.best_for("cpu", ("avx2",)).precision != "fp16"
    crops = portrait_crops(6)
    plain, halved = (backends.open_session(file.verified(), "cpu").run(crops) for file in (model, half))
    assert 0 < np.abs(plain[0] - halved[0]).max() < 1 / 32
    kernels = {t.data_type for t in onnx.load(half.path).graph.initializer if len(t.dims) == 4}
    assert kernels == {onnx.TensorProto.FLOAT16}


def portrait_crops(count: int) -> npt.NDArray[np.uint8]:
    """A portrait's face, turned a little further in each crop, ``(count, 1, 224, 224)``."""
    (box,) = blazeface().detect(astronaut())
    image = cv2.cvtColor(astronaut(), cv2.COLOR_BGR2GRAY)
    upright = CropTransform.from_box(box)
    turned = [replace(upright, angle=upright.angle + turn) for turn in np.linspace(-0.2, 0.2, count)]
    return np.stack([crop.cut(np.asarray(image, np.uint8))[None] for crop in turned])


def test_float32_has_parity_and_eight_bits_stay_close(folder: Path, data: Path) -> None:
    rows = list(compare(find_model("resnet18", "landmarks", folder), ["cpu"], Faces(read_test_faces(data))))
    plain, small = rows
    assert (plain.precision, plain.provider) == ("fp32", "CPUExecutionProvider")
    assert plain.largest_px <= PARITY_PX
    assert abs(plain.loss) < 1e-3
    assert small.precision == "int8"
    assert small.largest_px > PARITY_PX
    assert not small.holds
    assert small.mean_px < small.largest_px


def test_unavailable_backends_get_a_row_and_variants_run_on_suitable_backends_only(
    folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BackendError("no such card")

    monkeypatch.setitem(backends._OPENERS, "cuda", refuse)
    faces = Faces(read_test_faces(data)[:2])
    rows = list(compare(find_model("resnet18", "landmarks", folder), ["cuda", "cpu"], faces))
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
    # One crop pixel is side / 224 image pixels, alike for every point of a face.
    pixels = [t.side / CROP_SIZE for t in faces.transforms]
    apart = [np.linalg.norm(face.points[36] - face.points[45]) for face in labelled]
    shifted = exact + np.array((1.0, 0.0))
    assert faces.nme(shifted) == pytest.approx(100 * np.mean(np.divide(pixels, apart)), rel=1e-6)


def test_the_loss_is_recorded_for_all_faces_only(
    run: Run, folder: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("parity", "--data", data, "--weights", folder, "--backend", "cpu")
    run(*options, "--limit", 2)
    assert "nme_loss" not in find_model("resnet18", "landmarks", folder).variants["int8"].meta
    run(*options)
    assert "nme_loss" in find_model("resnet18", "landmarks", folder).variants["int8"].meta
    assert "noted in the manifest: resnet18 int8" in capsys.readouterr().out


def test_a_broken_float32_file_ends_with_an_error(
    run: Run, folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parity, "PARITY_PX", -1.0)
    with pytest.raises(SystemExit):
        run("parity", "--data", data, "--weights", folder, "--backend", "cpu", "--limit", 1)
    assert "error: float32 points differ from torch: resnet18 on cpu" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["int8", "parity"])
def test_missing_data_is_refused_in_one_line(
    run: Run, command: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(command, "--data", tmp_path, "--weights", folder)
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_new_weights_drop_the_variants_of_the_old_ones(folder: Path, tmp_path: Path) -> None:
    for name in (MANIFEST, "resnet18.onnx", "resnet18.int8.onnx"):
        shutil.copy(folder / name, tmp_path)
    write_entry(tmp_path, "resnet18", "landmarks", "resnet18.onnx", "MIT", {"precision": "fp32"})
    assert find_model("resnet18", "landmarks", tmp_path).variants == {}
    with pytest.raises(WeightsError, match="no int8 variant of 'resnet18'"):
        update_meta(tmp_path, "resnet18", {"nme_loss": 0.1}, "int8")
