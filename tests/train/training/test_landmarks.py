"""Initial weights of a landmark network."""

from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import save_file
from torch import nn

from tests.tiny import face_points, write_face
from tests.train.models.test_unet import brain_mri
from train.config import Stage, TrainConfig
from train.data.readers import LabelledFace
from train.errors import RunError
from train.models.load import shipped_weights
from train.models.registry import MODELS, WITH_BACKBONE, build
from train.models.trained import FROM_SHIPPED
from train.training import landmarks
from train.training.landmarks import initial_network, train_landmarks
from train.training.options import LAST, RunOptions
from train.training.record import new_record
from train.training.task import Task


@pytest.mark.parametrize(
    ("init", "resume", "expected"),
    [("weights/unet-light.onnx", False, True), ("weights/unet-light.onnx", True, False)]
    + [(init, False, False) for init in ("own.pt", "", "imagenet")],
)
def test_the_record_tells_whether_a_run_goes_back_to_a_shipped_model(
    tiny_300w: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, init: str, resume: bool, expected: bool
) -> None:
    """A run that is resumed keeps its record, and needs no file to begin with."""
    tasks: list[Task] = []
    monkeypatch.setattr(landmarks, "run_training", lambda _config, _make, task, _options: tasks.append(task))
    (tmp_path / "own.pt").write_bytes(b"weights")
    (tmp_path / LAST).touch()
    if init.startswith("weights"):
        init = "gone.onnx" if resume else str(shipped_weights("unet-light"))
    if init == "own.pt":
        init = str(tmp_path / init)
    config = TrainConfig("unet-light", (Stage(64, 1, 1e-3),), init=init)
    train_landmarks(config, tiny_300w, 8, RunOptions(tmp_path, resume))
    assert new_record(config, tasks[0])[FROM_SHIPPED] is expected


def start(
    model: str, init: str | Path, faces: Sequence[LabelledFace] = (), said: list[str] | None = None
) -> nn.Module:
    config = TrainConfig(model, (Stage(64, 1, 1e-3),), init=str(init))
    return initial_network(config, faces, said.append if said is not None else lambda _: None)()


def test_without_init_the_weights_are_random() -> None:
    said: list[str] = []
    torch.manual_seed(5)
    first = start("unet", "", said=said).get_parameter("maps.weight")
    torch.manual_seed(5)
    assert torch.equal(first, build("unet").get_parameter("maps.weight"))
    assert said == []


@pytest.mark.parametrize("name", ["unet.pt", "unet.PTH"])
def test_the_plain_unet_starts_from_the_brain_mri_checkpoint(tmp_path: Path, name: str) -> None:
    published = brain_mri()
    said: list[str] = []
    torch.save(published, tmp_path / name)
    state = start("unet-mri", tmp_path / name, said=said).state_dict()
    assert torch.equal(state["decoder1.dec1conv2.weight"], published["decoder1.dec1conv2.weight"])
    (line,) = said
    assert line.startswith(
        f"--init {tmp_path / name} gives {len(published) - 2} of {len(state)} tensors, 99 %"
    )


@pytest.mark.parametrize("model", ["resnet18", "unet-light"])
def test_other_models_refuse_a_published_checkpoint(tmp_path: Path, model: str) -> None:
    torch.save(brain_mri(), tmp_path / "unet.pt")
    with pytest.raises(RunError, match=r"unet\.pt (shares no weights|gives only)") as caught:
        start(model, tmp_path / "unet.pt")
    assert "\n" not in str(caught.value)


def test_a_damaged_or_missing_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "unet.pt").write_bytes(b"no checkpoint")
    for path in (tmp_path / "unet.pt", tmp_path / "none.pt"):
        with pytest.raises(RunError, match=path.name):
            start("unet-mri", path)


def test_the_plain_unet_starts_from_its_own_weights_too(tmp_path: Path) -> None:
    torch.manual_seed(1)
    trained = build("unet-mri").state_dict()
    save_file(trained, tmp_path / "u.safetensors", metadata={"size": "64"})
    said: list[str] = []
    faces = [write_face(tmp_path / "lfpw", "a", face_points())]
    state = start("unet-mri", tmp_path / "u.safetensors", faces, said).state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in trained.items())
    assert said[0].endswith(f"gives {len(state)} of {len(state)} tensors, 100 % of the weights")


def test_only_models_with_imagenet_weights_request_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The download itself belongs to torchvision; this tests the request only."""
    asked = []

    def grey_resnet(backbone: str, pretrained: bool) -> nn.Module:
        asked.append((backbone, pretrained))
        return nn.Identity()

    for module, model in (("resnet18", "resnet18"), ("plain", "resnet18-plain")):
        monkeypatch.setattr(f"train.models.{module}.grey_resnet", grey_resnet)
        start(model, "imagenet")
    assert asked == [("resnet18", True)] * 2
    for model in set(MODELS) - set(WITH_BACKBONE):
        with pytest.raises(RunError, match=f"for resnet18 and resnet18-plain: give a file to start {model} "):
            start(model, "imagenet")


def test_the_tables_name_known_models() -> None:
    assert set(WITH_BACKBONE) <= set(MODELS)


def test_only_the_first_process_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(brain_mri(), tmp_path / "unet.pt")
    monkeypatch.setenv("LOCAL_RANK", "1")
    said: list[str] = []
    start("unet-mri", tmp_path / "unet.pt", said=said)
    assert said == []
