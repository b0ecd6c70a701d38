"""Rules for replacing a shipped model; nothing else changes one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

import numpy as np
import torch

from export import fit_box
from export.landmarks import noise_crops
from export.manifest import write_entry, write_variant
from export.options import WEIGHTS
from export.shipping import VARIANT_LOSS, Judge, Verdict, landmark_judge, ship, ship_variant
from tests.export.models import Run, contents, copy_model
from tests.export.test_fit_box import PARTS as KEYPOINTS
from tests.tiny import write_300w
from tracker.errors import WeightsError
from tracker.inference.backends import open_session
from tracker.inference.detection.box_correction import RawFace
from tracker.inference.landmarker import OnnxLandmarker
from tracker.inference.weights import find_model, load_manifest, weights_dir
from tracker.types import FaceBox, FloatArray
from train.models.load import load_network
from train.models.registry import build
from train.training.run import write_weights

SUITS = {"suits": {"cpu": ["avx2"]}}


def test_the_shipped_models_are_those_of_the_repository() -> None:
    assert weights_dir() == WEIGHTS


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Folders of exports and of shipped models: a model of other content in both, with a variant in each."""
    out, weights = tmp_path / "out", tmp_path / "weights"
    for folder, error in ((out, "3.0"), (weights, "3.5")):
        folder.mkdir()
        (folder / "m.onnx").write_text(error)
        write_entry(folder, "m", "landmarks", "m.onnx", "MIT", {"precision": "fp32"})
        (folder / "m.int8.onnx").write_text(error)
        write_variant(folder, "m", "int8", "m.int8.onnx", SUITS)
    return out, weights


def written_error(path: Path) -> float:
    """The error of a file of these tests, which is all that is in it."""
    return float(path.read_text())


JUDGE = Judge(7, "% NME", written_error)


def test_a_better_model_is_shipped_and_drops_the_variants_of_the_old_one(folders: tuple[Path, Path]) -> None:
    out, weights = folders
    assert ship("m", out, weights, JUDGE) == Verdict(7, "% NME", 3.0, 3.5)
    model = find_model("m", "landmarks", weights)
    assert model.verified().read_text() == "3.0"
    assert model.variants == {}
    assert (weights / "m.int8.onnx").read_text() == "3.5"
    assert contents(out)["m.onnx"] == b"3.0"


@pytest.mark.parametrize("error", ["60", "3.52", "nan", "inf"])
def test_a_worse_model_is_refused_and_the_old_one_stays(folders: tuple[Path, Path], error: str) -> None:
    out, weights = folders
    (out / "m.onnx").write_text(error)
    write_entry(out, "m", "landmarks", "m.onnx", "MIT", {"precision": "fp32"})
    before = contents(weights)
    with pytest.raises(WeightsError, match="m is not shipped") as caught:
        ship("m", out, weights, JUDGE)
    assert "\n" not in str(caught.value)
    assert contents(weights) == before


def test_the_remedy_of_the_refusal_works_as_typed(folders: tuple[Path, Path]) -> None:
    out, weights = folders
    (out / "m.onnx").write_text("3.768")
    write_entry(out, "m", "landmarks", "m.onnx", "MIT", {"precision": "fp32"})
    with pytest.raises(WeightsError, match=r"--may-lose 0\.27$"):
        ship("m", out, weights, JUDGE)
    with pytest.raises(WeightsError):
        ship("m", out, weights, JUDGE, may_lose=0.25)
    ship("m", out, weights, JUDGE, may_lose=0.27)
    assert find_model("m", "landmarks", weights).verified().read_text() == "3.768"


def test_the_first_model_of_a_name_replaces_none(folders: tuple[Path, Path], tmp_path: Path) -> None:
    verdict = ship("m", folders[0], tmp_path / "new", JUDGE)
    assert verdict.before is None
    assert "replaces none" in str(verdict)
    load_manifest(tmp_path / "new")["m"].verified()


def test_a_damaged_export_is_refused(folders: tuple[Path, Path]) -> None:
    out, weights = folders
    before = contents(weights)
    (out / "m.onnx").write_text("0.1")
    with pytest.raises(WeightsError, match="sha256"):
        ship("m", out, weights, JUDGE)
    assert contents(weights) == before


def add_variant(folder: Path, error: str) -> None:
    (folder / "m.int8.onnx").write_text(error)
    write_variant(folder, "m", "int8", "m.int8.onnx", SUITS)


def test_a_variant_is_compared_with_the_one_it_replaces_and_its_loss_is_noted(
    folders: tuple[Path, Path],
) -> None:
    out, weights = folders
    with pytest.raises(WeightsError, match="another m"):
        ship_variant("m", "int8", out, weights, JUDGE)
    ship("m", out, weights, JUDGE)
    add_variant(weights, "3.1")
    for error, ships in (("3.13", False), ("3.05", True)):
        add_variant(out, error)
        if ships:
            ship_variant("m", "int8", out, weights, JUDGE)
        else:
            with pytest.raises(WeightsError, match="m int8 is not shipped"):
                ship_variant("m", "int8", out, weights, JUDGE)
    variant = find_model("m", "landmarks", weights).variants["int8"]
    assert variant.verified().read_text() == "3.05"
    assert variant.meta == {**SUITS, "nme_loss": 0.05, "precision": "int8"}


def test_a_first_variant_may_lose_little_to_the_model(folders: tuple[Path, Path]) -> None:
    out, weights = folders
    ship("m", out, weights, JUDGE)
    add_variant(out, str(3.0 + 2 * VARIANT_LOSS))
    with pytest.raises(WeightsError, match="not shipped"):
        ship_variant("m", "int8", out, weights, JUDGE)
    add_variant(out, str(3.0 + VARIANT_LOSS / 2))
    ship_variant("m", "int8", out, weights, JUDGE)
    assert find_model("m", "landmarks", weights).variants["int8"].meta["nme_loss"] == VARIANT_LOSS / 2


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny 300-W with enough drawn faces that some of them validate; read it, never change it."""
    return write_300w(tmp_path_factory.mktemp("faces"), test=1)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Weights of networks that have learnt nothing, by model."""
    folder, sizes = tmp_path_factory.mktemp("untrained"), {"unet-light": 96, "nose-fan": 80}
    for model, size in sizes.items():
        torch.manual_seed(0)
        write_weights(build(model), size, folder / f"{model}.safetensors")
    return {model: folder / f"{model}.safetensors" for model in sizes}


@pytest.mark.slow
def test_an_untrained_network_never_replaces_the_shipped_one(
    run: Run, untrained: dict[str, Path], faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command exports it to the folder of exports, measures, and ends with one line and exit code 1."""
    weights, out = tmp_path / "weights", tmp_path / "out"
    weights.mkdir()
    copy_model("unet-light", weights)
    before = contents(weights)
    command = ("landmarks", "--checkpoint", untrained["unet-light"], "--name", "unet-light")
    options = ("--data", faces, "--out", out, "--weights", weights)
    with pytest.raises(SystemExit) as left:
        run(*command, *options, "--ship")
    assert left.value.code == 1
    # What has learnt nothing cannot be calibrated, so it does not even come to the comparison.
    assert "error: the quality of points cannot be calibrated: " in capsys.readouterr().err
    assert not out.exists()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as left:
        patch.setattr("export.landmarks.calibrate", lambda *_: None)
        run(*command, *options, "--ship")
    assert left.value.code == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: unet-light is not shipped, it is worse: ")
    assert contents(weights) == before
    run(*command, *options)
    assert "cannot be calibrated" in capsys.readouterr().out
    assert (
        OnnxLandmarker(open_session(out / "unet-light.onnx", "cpu", 1)).locate(noise_crops(1)).quality is None
    )


@pytest.mark.slow
def test_the_judge_measures_the_exported_file(faces: Path) -> None:
    """Drawn faces are no photographs, yet the shipped model finds them better than the middle of the crop."""
    judge = landmark_judge(faces)
    model = find_model("unet-light", "landmarks")
    assert 0 < judge.measure(model.verified()) < 60
    assert judge.compare(model, model).loses() is False


@pytest.mark.slow
def test_no_command_without_ship_changes_shipped_models(
    run: Run, untrained: dict[str, Path], faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the folder of weights that is named, nor the repository's own, where none is."""
    weights, out = tmp_path / "weights", tmp_path / "runs" / "export"
    weights.mkdir()
    for name in ("unet-light", "blazeface-short"):
        copy_model(name, weights)
    evaluation = tmp_path / "evaluation.json"
    evaluation.write_text(
        json.dumps({"model": "unet-light", "complete": True, "scores": [{"nme_mean": 3.14}]})
    )
    monkeypatch.setattr(fit_box, "_find", lambda _, face: detected(face.points))
    monkeypatch.chdir(tmp_path)
    before, before_own = contents(weights), contents(WEIGHTS)
    record = ("record", "--evaluation", evaluation, "--name", "unet-light")
    for command in (
        ("blazeface", "--wheel", WEIGHTS / "blazeface-short.tflite"),
        ("fit-box", "--data", faces),
        record,
        ("int8", "--data", faces, "--name", "unet-light"),
        ("fp16", "--name", "unet-light"),
        ("study", "--checkpoint", untrained["nose-fan"], "--name", "nose-fan"),
        ("landmarks", "--checkpoint", untrained["unet-light"], "--name", "unet-light"),
    ):
        run(*command, "--weights", weights)
        assert contents(weights) == before, command[0]
    run(*record)
    run("parity", "--data", faces, "--weights", weights, "--backend", "cpu", "--limit", 1)
    assert contents(weights) == before
    assert contents(WEIGHTS) == before_own
    exported = load_manifest(out)
    assert set(exported) == {"blazeface-short", "blazeface-short-tflite", "nose-fan", "unet-light"}
    for model in exported.values():
        model.verified()
    assert load_network("nose-fan", exported["nose-fan"].path).size == 80


def detected(points: FloatArray) -> RawFace:
    """Return a detection for a drawn face, in which BlazeFace finds none."""
    return RawFace(FaceBox.around(points), np.array([points[list(part)].mean(axis=0) for part in KEYPOINTS]))


def test_a_fitted_box_is_shipped_if_it_is_no_worse(
    run: Run, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fit_box, "_find", lambda _, face: detected(face.points))
    weights, out = tmp_path / "weights", tmp_path / "out"
    weights.mkdir()
    copy_model("blazeface-short", weights)
    old = find_model("blazeface-short", "detector", weights).meta["box_correction"]
    options = ("fit-box", "--data", faces, "--out", out, "--weights", weights, "--ship")
    run(*options)
    fitted = find_model("blazeface-short", "detector", weights).meta["box_correction"]
    assert fitted == find_model("blazeface-short", "detector", out).meta["box_correction"] != old
    before = contents(weights)
    monkeypatch.setattr(fit_box, "_least_absolute", lambda *_: np.asarray(old) * 1.1)
    with pytest.raises(SystemExit):
        run(*options)
    assert "error: the box is not shipped, it is worse" in capsys.readouterr().err
    assert contents(weights) == before


def test_the_shipped_models_are_no_folder_to_export_to(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = tmp_path / "link"
    link.symlink_to(WEIGHTS)
    before = contents(WEIGHTS)
    for out in (WEIGHTS, link):
        with pytest.raises(SystemExit) as left:
            run("blazeface", "--wheel", WEIGHTS / "blazeface-short.tflite", "--out", out)
        assert left.value.code == 2
        assert "say --ship" in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert contents(WEIGHTS) == before


@pytest.mark.parametrize("command", ["landmarks", "study", "fp16"])
def test_shipping_needs_faces_to_judge_on(
    run: Run, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = () if command == "fp16" else ("--checkpoint", tmp_path / "r.safetensors")
    with pytest.raises(SystemExit) as left:
        run(
            command,
            *options,
            "--name",
            "nose-fan",
            "--ship",
            "--weights",
            tmp_path,
            "--out",
            tmp_path / "out",
        )
    assert left.value.code == 2
    assert "--data DIR" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
