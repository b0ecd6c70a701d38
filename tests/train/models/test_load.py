from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from export.landmarks import export_onnx, load_contract, noise_crops
from train.errors import RunError
from train.models.fold import fold_normalisation, normalised_convolutions
from train.models.load import LEAST_SHARE, load_network, read_onnx, warm_start
from train.models.registry import build
from train.models.resnet18 import ResNet18Landmarks

SIZE = 64


@pytest.fixture(scope="module")
def crops() -> Tensor:
    return torch.from_numpy(noise_crops(8)[:, None, :SIZE, :SIZE])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, crops: Tensor) -> Path:
    """A network whose statistics differ from those of a new one, as checkpoint and as exported file."""
    torch.manual_seed(3)
    network = ResNet18Landmarks().train()
    with torch.no_grad():
        network.pyramid.maps.weight.normal_(std=0.3)
        for _ in range(3):
            network(crops)
    folder = tmp_path_factory.mktemp("trained")
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, folder / "r.safetensors", metadata={"size": str(SIZE)})
    export_onnx(load_contract(folder / "r.safetensors", "resnet18"), folder / "r.onnx")
    return folder


def answers(network: nn.Module, crops: Tensor) -> tuple[Tensor, Tensor]:
    with torch.inference_mode():
        output = network(crops)
    return output.points * 224, output.presence_logit


@pytest.mark.slow
def test_the_exported_file_loads_back_into_torch(trained: Path, crops: Tensor) -> None:
    """The difference from the checkpoint is the rounding of kernels to float16."""
    checkpoint, exported = (load_network("resnet18", trained / name) for name in ("r.safetensors", "r.onnx"))
    assert checkpoint.size == exported.size == SIZE
    for expected, got in zip(
        answers(checkpoint.network, crops), answers(exported.network, crops), strict=True
    ):
        assert (expected - got).abs().max() < 0.02 * expected.std()


@pytest.mark.slow
def test_a_warm_start_computes_the_same_as_the_file(trained: Path, crops: Tensor) -> None:
    """With normalisation restored from the same crops, the difference is float32 rounding."""
    exported = load_network("resnet18", trained / "r.onnx").network
    network = ResNet18Landmarks()
    taken = warm_start(network, trained / "r.onnx", lambda: crops)
    pairs = normalised_convolutions(network)
    stored = set(read_onnx(trained / "r.onnx")[1])
    assert taken.names == stored & set(network.state_dict())
    assert {f"{name}.weight" for name, _, _ in pairs} <= stored
    for expected, got in zip(answers(exported, crops), answers(network, crops), strict=True):
        assert (expected - got).abs().max() < 1e-3
    network.train()
    batch = network(crops)
    assert torch.isfinite(batch.points).all()


@pytest.mark.slow
def test_in_training_mode_the_restored_statistics_are_those_of_the_batch(
    trained: Path, crops: Tensor
) -> None:
    """On the crops of the warm start, batch statistics equal running ones."""
    network = ResNet18Landmarks()
    warm_start(network, trained / "r.onnx", lambda: crops)
    still, _ = answers(network, crops)
    moving, _ = answers(network.train(), crops)
    assert (still - moving).abs().max() < 0.02 * still.std()


@pytest.mark.slow
def test_a_warm_start_from_a_checkpoint_takes_every_tensor(trained: Path, crops: Tensor) -> None:
    network = ResNet18Landmarks()
    taken = warm_start(network, trained / "r.safetensors", lambda: crops)
    assert taken.names == set(network.state_dict())
    assert taken.share == 1.0
    checkpoint = load_network("resnet18", trained / "r.safetensors").network
    for name, tensor in checkpoint.state_dict().items():
        assert torch.equal(network.state_dict()[name], tensor)


@pytest.mark.slow
def test_a_warm_start_copies_matching_tensors_only(trained: Path, crops: Tensor) -> None:
    """With another head, the backbone is copied and the head keeps its initial weights."""
    network = ResNet18Landmarks()
    network.pyramid.maps = torch.nn.Conv2d(64, 5, 3)
    before = network.pyramid.maps.weight.clone()
    warm_start(network, trained / "r.onnx", lambda: crops)
    assert torch.equal(network.pyramid.maps.weight, before)
    _, tensors = read_onnx(trained / "r.onnx")
    assert torch.equal(network.backbone.get_parameter("conv1.weight"), tensors["backbone.conv1.weight"])


def test_folding_pairs_are_all_found() -> None:
    """The ResNet has 17 convolutions and 3 shortcuts, the pyramid 3 convolutions."""
    network = ResNet18Landmarks().eval()
    pairs = normalised_convolutions(network)
    assert len(pairs) == 17 + 3 + 3
    assert all(network.get_submodule(name) is convolution for name, convolution, _ in pairs)
    fold_normalisation(network)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())


@pytest.mark.parametrize("name", ["x.onnx", "x.safetensors", "x.pth"])
@pytest.mark.parametrize("content", [b"", b"nothing of the kind", bytes(200)])
def test_damaged_files_are_refused_in_one_line(
    tmp_path: Path, crops: Tensor, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    for attempt in (
        lambda: load_network("resnet18", path),
        lambda: warm_start(ResNet18Landmarks(), path, lambda: crops),
        lambda: load_network("resnet18", tmp_path / "missing" / name),
    ):
        with pytest.raises(RunError, match=name) as caught:
            attempt()
        assert "\n" not in str(caught.value)


def test_a_file_that_shares_nothing_is_refused(tmp_path: Path, crops: Tensor) -> None:
    save_file({"other.weight": torch.zeros(3)}, tmp_path / "x.safetensors", metadata={"size": "64"})
    with pytest.raises(RunError, match="shares no weights"):
        warm_start(ResNet18Landmarks(), tmp_path / "x.safetensors", lambda: crops)


class Anything:
    """An object whose unpickling would run code."""


@pytest.mark.parametrize("content", [3, [torch.zeros(3)], {"epoch": 3}, Anything()])
def test_a_torch_file_of_something_else_is_refused_in_one_line(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(RunError, match=r"x\.pth cannot be read: it ") as caught:
        warm_start(ResNet18Landmarks(), tmp_path / "x.pth", no_crops)
    assert "\n" not in str(caught.value)


def test_code_in_a_torch_file_is_never_run(tmp_path: Path) -> None:
    class Command:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"state_dict": Command()}, tmp_path / "x.pt")
    with pytest.raises(RunError, match="holds more than tensors"):
        warm_start(ResNet18Landmarks(), tmp_path / "x.pt", no_crops)
    assert not (tmp_path / "ran").exists()


def no_crops() -> Tensor:
    raise AssertionError("only exported models need crops")


def wrapped(state: dict[str, Tensor]) -> dict[str, object]:
    """The ways in which programs save a state dict."""
    parallel = {f"module.{name}": tensor for name, tensor in state.items()}
    return {
        "plain": state,
        "state_dict": {"state_dict": state, "epoch": 7},
        "model": {"model": state, "optimizer": {"lr": 0.1}},
        "parallel": parallel,
        "both": {"epoch": 1, "state_dict": parallel},
    }


@pytest.mark.parametrize("way", ["plain", "state_dict", "model", "parallel", "both"])
def test_wrapped_state_dicts_give_every_tensor(tmp_path: Path, way: str) -> None:
    torch.manual_seed(5)
    state = build("unet-light").state_dict()
    torch.save(wrapped(state)[way], tmp_path / "w.pt")
    network = build("unet-light")
    taken = warm_start(network, tmp_path / "w.pt", no_crops)
    assert str(taken) == f"{len(state)} of {len(state)} tensors, 100 % of the weights"
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in state.items())


def test_less_than_half_is_refused_unless_it_is_wanted(tmp_path: Path) -> None:
    state = build("unet-light").state_dict()
    part = {name: tensor for name, tensor in state.items() if name.startswith("encoder1.")}
    save_file(part, tmp_path / "part.safetensors")
    network = build("unet-light")
    before = network.state_dict()["encoder1.enc1conv1.weight"].clone()
    with pytest.raises(RunError, match=rf"gives only {len(part)} of .* --partial$"):
        warm_start(network, tmp_path / "part.safetensors", no_crops)
    assert torch.equal(network.state_dict()["encoder1.enc1conv1.weight"], before)
    taken = warm_start(network, tmp_path / "part.safetensors", no_crops, in_part=True)
    assert taken.names == part.keys()
    assert 0 < taken.share < LEAST_SHARE
    assert torch.equal(network.state_dict()["encoder1.enc1conv1.weight"], part["encoder1.enc1conv1.weight"])


def test_a_file_of_another_kind_is_told_without_the_readers_terms(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('name = "own"\nn_points = 5\n')
    reason = r"own\.toml .*it is no \.safetensors file, or is damaged$"
    with pytest.raises(RunError, match=reason):
        warm_start(build("unet-light"), tmp_path / "own.toml", no_crops)
    with pytest.raises(RunError, match=reason):
        load_network("unet-light", tmp_path / "own.toml")


def test_an_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(RunError, match="resnet18"):
        load_network("vgg", None)


def test_the_shipped_model_loads() -> None:
    loaded = load_network("resnet18")
    points = answers(loaded.network, torch.zeros(1, 1, loaded.size, loaded.size))[0]
    assert points.shape == (1, 68, 2)
    assert np.isfinite(points.numpy()).all()
