"""Eight-bit variants, and the table that holds every file on every backend against torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("torch")

import onnx

from tests.export.models import Run, copy_model
from tests.faces import astronaut, blazeface
from tracker.geometry import CropTransform
from tracker.inference import backends
from tracker.inference.weights import find_model
from tracker.types import Frame


@pytest.mark.slow
def test_the_variant_is_chosen_where_it_suits(weights: Path) -> None:
    model = find_model("resnet18", "landmarks", weights)
    small = model.best_for("cpu", ("avx2", "avx512_vnni"))
    assert small.precision == "int8"
    assert small.verified().stat().st_size < 0.6 * model.verified().stat().st_size
    assert model.best_for("openvino", ("avx2",)) is small
    assert model.best_for("cpu", ()) is model
    assert model.best_for("cuda", ("avx2",)) is model


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "unet-light"])
def test_half_precision_is_for_cuda_and_keeps_points(name: str, tmp_path: Path, run: Run) -> None:
    """Coordinates computed in float16 would be off by up to a sixteenth of a pixel in the crop's far half."""
    copy_model(name, tmp_path)
    run("fp16", "--name", name, "--out", tmp_path)
    model = find_model(name, "landmarks", tmp_path)
    half = model.best_for("cuda", ())
    assert half.precision == "fp16"
    assert model.best_for("cpu", ("avx2",)).precision != "fp16"
    crops = portrait_crops(6)
    plain, halved = (backends.open_session(file.verified(), "cpu").run(crops) for file in (model, half))
    assert 0 < np.abs(plain[0] - halved[0]).max() < 1 / 32
    constants = onnx.load(half.path).graph.initializer
    kernels = {t.data_type for t in constants if len(t.dims) == 4 and not t.name.startswith("resample.")}
    assert kernels == {onnx.TensorProto.FLOAT16}


def portrait_crops(count: int) -> npt.NDArray[np.uint8]:
    """Return a portrait's face, rotated a little further in each crop, ``(count, 1, 224, 224)``."""
    box = blazeface().detect(Frame(astronaut()))[0]
    image = cv2.cvtColor(astronaut(), cv2.COLOR_BGR2GRAY)
    upright = CropTransform.from_box(box)
    turned = [replace(upright, angle=upright.angle + turn) for turn in np.linspace(-0.2, 0.2, count)]
    return np.stack([crop.cut(np.asarray(image, np.uint8))[None] for crop in turned])


@pytest.mark.slow
@pytest.mark.parametrize("command", ["int8", "parity"])
def test_missing_data_is_refused_in_one_line(
    run: Run, command: str, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(
            command,
            "--data",
            tmp_path,
            "--weights",
            weights,
            *(("--out", tmp_path / "out") * (command == "int8")),
        )
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
