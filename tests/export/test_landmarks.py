"""The exported landmark graph: its contract, and parity with torch."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file, save_file
from torch.nn.functional import interpolate

from export.landmarks import (
    PARITY_PX,
    Contract,
    Parity,
    export_onnx,
    load_contract,
    measure_parity,
    noise_crops,
    write_landmarks,
)
from tests.tiny import write_300w
from tracker.errors import WeightsError
from tracker.geometry import CROP_SIZE
from tracker.inference.backends import open_session
from tracker.inference.landmarker import OnnxLandmarker
from tracker.inference.weights import load_manifest
from train.errors import RunError
from train.models.load import read_onnx
from train.models.resnet18 import ResNet18Landmarks
from train.models.unet import UNetLandmarks
from train.models.upsampling import shuffle_upsampling


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network whose batch statistics differ from those of a new one."""
    torch.manual_seed(0)
    network = ResNet18Landmarks().train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.randint(0, 256, (4, 1, 64, 64), dtype=torch.uint8))
    path = tmp_path_factory.mktemp("checkpoint") / "r.safetensors"
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, path, metadata={"size": "96"})
    return path


@pytest.fixture(scope="module")
def shipped(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Parity]:
    folder = tmp_path_factory.mktemp("weights")
    return folder, write_landmarks(checkpoint, "resnet18", folder)


@pytest.mark.slow
def test_onnx_agrees_with_torch(shipped: tuple[Path, Parity]) -> None:
    _, parity = shipped
    assert parity.crops == 32
    assert parity.points_px <= PARITY_PX
    assert parity.presence <= 1e-4
    assert parity.holds


@pytest.mark.slow
def test_the_manifest_entry_verifies_and_the_model_keeps_the_contract(shipped: tuple[Path, Parity]) -> None:
    folder, _ = shipped
    path = load_manifest(folder)["resnet18"].verified()
    landmarker = OnnxLandmarker(open_session(path, "cpu", 1))
    for count in (1, 3):
        points, presence, quality = landmarker.locate(noise_crops(count))
        assert points.shape == (count, 68, 2)
        assert points.dtype == np.float32
        assert presence.shape == (count,)
        assert ((presence >= 0) & (presence <= 1)).all()
        assert quality is None


@pytest.mark.slow
def test_a_batch_gives_what_single_crops_give(shipped: tuple[Path, Parity]) -> None:
    folder, _ = shipped
    session = open_session(folder / "resnet18.onnx", "cpu", 1)
    crops = noise_crops(4)[:, None]
    together = session.run(crops)[0]
    alone = np.concatenate([session.run(crop[None])[0] for crop in crops])
    assert np.abs(together - alone).max() < PARITY_PX


@pytest.mark.slow
def test_kernels_are_stored_as_float16(shipped: tuple[Path, Parity], checkpoint: Path) -> None:
    folder, _ = shipped
    assert (folder / "resnet18.onnx").stat().st_size < 0.52 * checkpoint.stat().st_size


@pytest.mark.slow
def test_the_file_contains_no_paths_of_the_exporting_machine(shipped: tuple[Path, Parity]) -> None:
    data = (shipped[0] / "resnet18.onnx").read_bytes()
    assert b"site-packages" not in data
    assert str(Path.cwd()).encode() not in data


def test_folding_and_rounding_change_little(checkpoint: Path) -> None:
    """The relative error of a float16 kernel is at most 2**-11; through 18 layers it stays below 1 %."""
    exact = ResNet18Landmarks().eval()
    exact.load_state_dict(load_file(checkpoint))
    crops = torch.from_numpy(noise_crops(4)[:, None])
    with torch.inference_mode():
        points = Contract(exact, 96)(crops)[0]
        difference = points - load_contract(checkpoint, "resnet18")(crops)[0]
    assert 0 < difference.abs().max() < 0.01 * points.std()


@pytest.mark.slow
def test_a_network_that_differs_is_refused_and_the_old_model_stays(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import export.landmarks

    def damaged(network: Contract, path: Path) -> None:
        with torch.no_grad():
            network.network.get_parameter("presence.bias").add_(
                0.1
            )  # a fortieth of a probability near one half
        export_onnx(network, path)
        with torch.no_grad():
            network.network.get_parameter("presence.bias").sub_(0.1)

    monkeypatch.setattr(export.landmarks, "export_onnx", damaged)
    (tmp_path / "resnet18.onnx").write_bytes(b"the model of yesterday")
    with pytest.raises(WeightsError, match="differs from torch"):
        write_landmarks(checkpoint, "resnet18", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["resnet18.onnx"]
    assert (tmp_path / "resnet18.onnx").read_bytes() == b"the model of yesterday"


@pytest.mark.slow
def test_parity_reports_a_real_difference(checkpoint: Path, shipped: tuple[Path, Parity]) -> None:
    """The reported difference equals the one that the change of the network makes."""
    network, crops = load_contract(checkpoint, "resnet18"), noise_crops(2)
    with torch.no_grad():
        before = network(torch.from_numpy(crops[:, None]))
        network.network.get_parameter("pyramid.maps.weight").mul_(3)
        network.network.get_parameter("presence.bias").add_(0.1)
        after = network(torch.from_numpy(crops[:, None]))
    parity = measure_parity(network, shipped[0] / "resnet18.onnx", crops)
    points_px, presence = ((a - b).abs().max().item() for a, b in zip(after, before, strict=True))
    assert parity.points_px == pytest.approx(points_px, abs=PARITY_PX)
    assert parity.presence == pytest.approx(presence, abs=1e-4)
    assert points_px > 2 * PARITY_PX
    assert not parity.holds


@pytest.mark.slow
def test_nan_breaks_parity(checkpoint: Path, shipped: tuple[Path, Parity]) -> None:
    network = load_contract(checkpoint, "resnet18")
    with torch.no_grad():
        network.network.get_parameter("presence.bias").fill_(torch.nan)
    parity = measure_parity(network, shipped[0] / "resnet18.onnx", noise_crops(2))
    assert np.isnan(parity.presence)
    assert not parity.holds
    assert not Parity(2, 0.0, 0.0, np.nan).holds
    assert Parity(2, 0.0, 0.0, PARITY_PX).holds


def test_the_graph_computes_what_its_parts_do_one_by_one() -> None:
    """Resampling, network and units written out; the graph has another form of each."""
    torch.manual_seed(1)
    network = UNetLandmarks(features=2, stride=4).eval()
    crops = torch.from_numpy(noise_crops(3)[:, None])
    small = interpolate(crops.float(), size=(96, 96), mode="bilinear", antialias=True)
    with torch.inference_mode():
        output = network(small)
        logits = output.maps.flatten(2)
        peaks = logits.amax(dim=-1) - logits.logsumexp(dim=-1) + math.log(logits.shape[-1])
        expected = (output.points + 0.5) * CROP_SIZE - 0.5, network.presence(peaks)[:, 0].sigmoid()
        shuffle_upsampling(network)
        points, presence = Contract(network, 96)(crops)
    assert (points - expected[0]).abs().max().item() < PARITY_PX
    assert (presence - expected[1]).abs().max().item() < 1e-4


def test_weights_without_a_crop_size_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    save_file(load_file(checkpoint), tmp_path / "x.safetensors")
    with pytest.raises(RunError, match="does not hold"):
        load_contract(tmp_path / "x.safetensors", "resnet18")


@pytest.mark.parametrize("content", [b"", b"not safetensors at all"])
def test_a_file_without_weights_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(RunError, match="does not hold"):
        load_contract(path, "resnet18")
    with pytest.raises(RunError, match="does not hold"):
        load_contract(tmp_path / "missing.safetensors", "resnet18")


def test_a_network_without_presence_is_no_model_of_the_tracker(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="resnet18-plain does not judge presence"):
        write_landmarks(tmp_path / "x.safetensors", "resnet18-plain", tmp_path / "out")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"head.weight": torch.zeros(3, 3)}, path)
    with pytest.raises(RunError, match="does not hold"):
        load_contract(path, "resnet18")


@pytest.mark.slow
def test_quality_of_the_exported_model_agrees_with_torch(checkpoint: Path, tmp_path: Path) -> None:
    tree = write_300w(tmp_path / "data")
    (tmp_path / "weights").mkdir()
    parity = write_landmarks(checkpoint, "resnet18", tmp_path / "weights", tree)
    assert parity.quality is not None
    assert parity.quality <= 1e-4
    path = load_manifest(tmp_path / "weights")["resnet18"].verified()
    located = OnnxLandmarker(open_session(path, "cpu", 1)).locate(noise_crops(3))
    assert located.quality is not None
    assert located.quality.shape == (3, 68)
    assert ((located.quality >= 0) & (located.quality <= 1)).all()
    # The calibration is not a weight of the network, so a start from the file uses the same tensors.
    assert read_onnx(path)[1].keys() == load_contract(checkpoint, "resnet18").network.state_dict().keys()
