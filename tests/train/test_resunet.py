import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402
from torch import nn  # noqa: E402

from train.errors import RunError  # noqa: E402
from train.exported import warm_start  # noqa: E402
from train.heatmap import KernelCodec  # noqa: E402
from train.losses import LandmarkLoss  # noqa: E402
from train.models.backbone import features  # noqa: E402
from train.models.fold import fold_normalisation  # noqa: E402
from train.models.resnet18 import ResNet18Landmarks  # noqa: E402
from train.models.resunet import ResUNetLandmarks  # noqa: E402
from train.models.unet import UNetLandmarks  # noqa: E402


@pytest.fixture
def network():
    torch.manual_seed(0)
    return ResUNetLandmarks(width=8)


def noise(count, size=64):
    return torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(1)) * 255


@pytest.mark.parametrize(("size", "side"), [(64, 34), (128, 66)])
def test_maps_have_half_the_size_of_the_crop_and_a_ring(network, size, side):
    output = network.eval()(torch.zeros(2, 1, size, size, dtype=torch.uint8))
    assert output.maps.shape == (2, 68, side, side)
    assert output.points.shape == (2, 68, 2)
    assert output.presence_logit.shape == (2,)


def test_a_size_that_five_halvings_do_not_divide_is_refused(network):
    with pytest.raises(RuntimeError, match="size"):
        network.eval()(torch.zeros(1, 1, 72, 72))


def test_an_untrained_network_answers_the_middle_of_the_crop(network):
    """Of any picture: the logits differ by little, and 68 of them are far from agreeing on a side."""
    assert network.eval()(noise(2)).points.abs().max().item() < 0.02


def test_folding_changes_nothing(network):
    crops = noise(3)
    network.train()(crops)
    with torch.inference_mode():
        before = network.eval()(crops).maps
        fold_normalisation(network)
        after = network(crops).maps
    assert not any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    assert torch.allclose(before, after, atol=1e-4)


def test_a_start_from_a_trained_resnet18_sees_the_same_features(network, tmp_path):
    torch.manual_seed(3)
    trained, crops = ResNet18Landmarks().train(), noise(4)
    with torch.no_grad():
        trained(crops)  # statistics that are not those of a fresh network
    save_file(trained.state_dict(), tmp_path / "r.safetensors", metadata={"size": "64"})
    maps = network.maps.weight.clone()
    taken = warm_start(network, tmp_path / "r.safetensors", crops)
    assert taken >= len(trained.backbone.state_dict())
    assert torch.equal(network.maps.weight, maps)  # another width: these stay new
    with torch.inference_mode():
        expected = features(trained.eval().backbone, crops)
        got = features(network.eval().backbone, crops)
    assert [tuple(level.shape[1:]) for level in got] == [
        (64, 32, 32),
        (64, 16, 16),
        (128, 8, 8),
        (256, 4, 4),
        (512, 2, 2),
    ]
    assert all(torch.equal(a, b) for a, b in zip(expected, got, strict=True))


def test_a_file_of_another_network_is_refused(network, tmp_path):
    save_file({"encoder1.weight": torch.zeros(3)}, tmp_path / "u.safetensors", metadata={"size": "64"})
    with pytest.raises(RunError, match="shares no weights"):
        warm_start(network, tmp_path / "u.safetensors", noise(1))


@pytest.mark.parametrize("make", [lambda: ResUNetLandmarks(width=8), lambda: UNetLandmarks(4, stride=1)])
def test_the_loss_pulls_on_every_parameter(make):
    torch.manual_seed(0)
    model = make().train()
    points = torch.rand(4, 68, 2) - 0.5
    loss = LandmarkLoss(codec=KernelCodec())(model(noise(4)), points, torch.tensor([1.0, 1, 1, 0]))
    loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


def test_grey_levels_may_be_bytes_or_floats(network):
    levels = torch.randint(0, 256, (1, 1, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        by_bytes, by_floats = (network.eval()(crop).maps for crop in (levels, levels.float()))
    assert torch.equal(by_bytes, by_floats)
