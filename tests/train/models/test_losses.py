import math

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from train.data.faces import COVERED, GUESSED, VISIBLE
from train.errors import RunError
from train.models.heatmap import HeatmapCodec, KernelCodec
from train.models.losses import LandmarkLoss, wing
from train.models.output import LandmarkOutput


def output(points: Tensor, logit: Tensor | None) -> LandmarkOutput:
    return LandmarkOutput(points, logit)


def test_wing_known_values() -> None:
    """w ln(1 + x / eps) below w = 10, x - (w - w ln(1 + w / eps)) above, eps = 2."""
    error = torch.tensor([0.0, 2.0, -2.0, 30.0], dtype=torch.float64)
    offset = 10 - 10 * math.log(6)
    expected = [0, 10 * math.log(2), 10 * math.log(2), 30 - offset]
    assert wing(error).tolist() == pytest.approx(expected)


def test_wing_is_continuous_where_its_pieces_meet() -> None:
    ends = torch.tensor([10 - 1e-9, 10.0], dtype=torch.float64)
    below, above = wing(ends).tolist()
    assert above - below == pytest.approx(0, abs=1e-8)
    assert above == pytest.approx(10 * math.log(6))


@pytest.mark.parametrize(
    ("error", "slope"), [(0.5, 10 / 2.5), (-0.5, -10 / 2.5), (9.0, 10 / 11), (11.0, 1), (-90.0, -1)]
)
def test_wing_gradient(error: float, slope: float) -> None:
    at = torch.tensor(error, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(wing(at), at)
    assert gradient.item() == pytest.approx(slope)


def test_errors_count_in_pixels_of_a_224_px_crop() -> None:
    points = torch.zeros(1, 68, 2)
    off = points + 5 / 224
    loss = LandmarkLoss()(output(off, torch.tensor([50.0])), points, torch.ones(1))
    assert loss.item() == pytest.approx(10 * math.log(1 + 5 / 2), rel=1e-5)


def test_crops_without_a_face_have_a_gradient_in_presence_only() -> None:
    points = torch.rand(3, 68, 2, requires_grad=True)
    logit = torch.zeros(3, requires_grad=True)
    is_face = torch.tensor([1.0, 0.0, 0.0])
    loss = LandmarkLoss()(output(points, logit), torch.zeros(3, 68, 2), is_face)
    by_points, by_logit = torch.autograd.grad(loss, (points, logit))
    assert not by_points[1:].any()
    assert by_points[0].abs().min() > 0
    assert by_logit.tolist() == pytest.approx([-0.5 / 3, 0.5 / 3, 0.5 / 3])


def test_backgrounds_do_not_change_the_weight_of_a_face() -> None:
    points, truth = torch.full((4, 68, 2), 0.01), torch.zeros(4, 68, 2)
    logit = torch.full((4,), 40.0)  # sure of a face: no presence loss where there is one
    one = LandmarkLoss()(output(points[:1], logit[:1]), truth[:1], torch.ones(1))
    sure = torch.tensor([40.0, -40.0, -40.0, -40.0])
    four = LandmarkLoss()(output(points, sure), truth, torch.tensor([1.0, 0, 0, 0]))
    assert four.item() == pytest.approx(one.item(), rel=1e-6)


@pytest.mark.parametrize("codec", [HeatmapCodec(1.5), KernelCodec(20, 100)])
def test_maps_add_their_cross_entropy_in_nats(codec: HeatmapCodec | KernelCodec) -> None:
    """The reference is torch's cross-entropy with probabilities as the target, mean over the points."""
    torch.manual_seed(0)
    maps, points = torch.randn(2, 68, 18, 18), torch.rand(2, 68, 2) - 0.5
    target = codec.encode(points, 16).flatten(2)
    expected = torch.nn.functional.cross_entropy(maps.flatten(0, 1).flatten(1), target.flatten(0, 1))
    face = torch.ones(2)
    with_maps = LandmarkOutput(points, torch.full((2,), 50.0), maps)
    loss = LandmarkLoss(0.5, codec)(with_maps, points, face)
    assert loss.item() == pytest.approx(0.5 * expected.item(), rel=1e-5)
    assert LandmarkLoss(0.0)(with_maps, points, face).item() == pytest.approx(0.0, abs=1e-6)


def test_a_network_without_presence_is_judged_by_its_points_alone() -> None:
    points = torch.zeros(1, 58, 2)
    loss = LandmarkLoss()(LandmarkOutput(points + 5 / 224), points, torch.ones(1))
    assert loss.item() == pytest.approx(10 * math.log(1 + 5 / 2), rel=1e-5)


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(RunError, match="map_weight"):
        LandmarkLoss(-1.0)


def test_a_batch_without_any_face_has_a_finite_loss() -> None:
    loss = LandmarkLoss()(output(torch.rand(2, 68, 2), torch.zeros(2)), torch.zeros(2, 68, 2), torch.zeros(2))
    assert loss.item() == pytest.approx(math.log(2))


def with_visibility(points: Tensor, *values: int) -> Tensor:
    """``points`` ``(1, P, 2)`` with a third column, one value a point."""
    return torch.cat([points, torch.tensor(values, dtype=torch.float32)[None, :, None]], dim=2)


def test_guessed_points_count_a_share_and_visible_ones_in_full() -> None:
    truth, off = torch.zeros(1, 2, 2), torch.tensor([[[5 / 224, 5 / 224], [0.0, 0.0]]])
    full = 10 * math.log(1 + 5 / 2) / 2
    for visibility, share in ((VISIBLE, 1.0), (COVERED, 1.0), (GUESSED, 0.2)):
        points = with_visibility(truth, visibility, VISIBLE)
        loss = LandmarkLoss()(LandmarkOutput(off), points, torch.ones(1))
        assert loss.item() == pytest.approx(share * full, rel=1e-5)


def test_all_points_visible_is_the_same_as_no_visibility() -> None:
    torch.manual_seed(0)
    maps, points = torch.randn(1, 3, 18, 18), torch.rand(1, 3, 2) - 0.5
    answer = LandmarkOutput(HeatmapCodec.decode(maps), None, maps)
    told = LandmarkLoss()(answer, with_visibility(points, *[VISIBLE] * 3), torch.ones(1))
    assert told.item() == pytest.approx(LandmarkLoss()(answer, points, torch.ones(1)).item())


@pytest.mark.parametrize("visibility", [COVERED, GUESSED])
def test_maps_of_points_that_cannot_be_seen_should_be_wide(visibility: int) -> None:
    points = torch.zeros(1, 1, 2)
    told = with_visibility(points, visibility)
    narrow, wide = (HeatmapCodec(sigma).encode(points, 32).clamp(min=1e-30).log() for sigma in (1.0, 2.5))
    losses = [
        LandmarkLoss()(LandmarkOutput(points, None, m), told, torch.ones(1)).item() for m in (narrow, wide)
    ]
    assert losses[1] < losses[0]


@pytest.mark.parametrize("values", [{"guess_weight": -0.1}, {"blur": 0.5}])
def test_impossible_settings_of_visibility_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(RunError, match="guess_weight must not be negative and blur"):
        LandmarkLoss(**values)  # type: ignore[arg-type]
