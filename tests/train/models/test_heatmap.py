import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

import torch

from train.errors import RunError
from train.models.heatmap import RING, HeatmapCodec, KernelCodec, cell_centers, gaussians

COORDINATE = st.floats(-0.5, 0.5, width=32, allow_subnormal=False)  # inference flushes them to zero


@given(
    x=COORDINATE, y=COORDINATE, cells=st.sampled_from([8, 16, 32, 56]), sigma=st.sampled_from([0.7, 1.0, 2.0])
)
def test_encode_then_decode_returns_the_point_anywhere_in_the_crop(
    x: float, y: float, cells: int, sigma: float
) -> None:
    """Accurate to a hundredth of a cell, even at the edge, where a plain Gaussian is half a cell off."""
    point = torch.tensor([[[x, y]]], dtype=torch.float32)
    codec = HeatmapCodec(sigma)
    back = codec.decode(codec.encode(point, cells).clamp(min=1e-38).log())
    assert ((back - point).abs().max() * cells).item() < 0.01


@given(
    x=COORDINATE,
    y=COORDINATE,
    cells=st.sampled_from([32, 64, 112, 224]),
    codec=st.sampled_from([KernelCodec(), KernelCodec(10, 40), HeatmapCodec(10.0)]),
)
def test_wide_and_cut_targets_return_the_point(
    x: float, y: float, cells: int, codec: HeatmapCodec | KernelCodec
) -> None:
    """Accurate to a hundredth of a cell, where an asymmetric cut would shift a plain Gaussian."""
    point = torch.tensor([[[x, y]]], dtype=torch.float32)
    back = HeatmapCodec.decode(codec.encode(point, cells).clamp(min=1e-38).log())
    assert ((back - point).abs().max() * cells).item() < 0.01


def test_an_uncorrected_gaussian_fails_at_the_edge() -> None:
    """Without the correction the error at the edge is more than a tenth of a cell."""
    centers = cell_centers(8) * 8
    plain = torch.softmax(-0.5 * (centers + 4.0) ** 2, dim=0)  # a point on the crop's left edge
    assert abs((plain * centers).sum().item() + 4.0) > 0.1


def test_targets_are_normalised_gaussians() -> None:
    """The reference is numpy's outer product of two sampled normals."""
    codec, cells, sigma = HeatmapCodec(1.5), 32, 1.5
    x, y = 0.1, -0.07
    centers = (np.arange(-RING, cells + RING) + 0.5) / cells - 0.5
    along = [np.exp(-0.5 * ((centers - at) * cells / sigma) ** 2) for at in (x, y)]
    expected = np.outer(along[1] / along[1].sum(), along[0] / along[0].sum())
    got = codec.encode(torch.tensor([[[x, y]]]), cells)[0, 0].numpy()
    assert got.shape == (34, 34)
    assert np.abs(got - expected).max() < 1e-5


@pytest.mark.parametrize("cells", [32, 64, 224])
def test_a_kernel_is_the_cut_gaussian_at_any_working_size(cells: int) -> None:
    """The reference is computed in pixels of the 224 px crop: at most 60 pixels wide."""
    x, y = 0.1, -0.07
    centers_px = 224 * ((np.arange(-RING, cells + RING) + 0.5) / cells - 0.5)
    along = [
        np.exp(-0.5 * ((centers_px - 224 * at) / 10) ** 2) * (np.abs(centers_px - 224 * at) <= 30)
        for at in (x, y)
    ]
    expected = np.outer(along[1] / along[1].sum(), along[0] / along[0].sum())
    got = KernelCodec(10, 60).encode(torch.tensor([[[x, y]]]), cells)[0, 0].numpy()
    assert ((got > 0) == (expected > 0)).all()
    # The mean is corrected; an asymmetric cut moves it by at most 3 exp(-4.5) / sqrt(2 pi) = 1.4 % of a cell.
    cell = 224 / cells / 10  # in sigma
    assert np.abs(got - expected).max() < 0.014 * cell * expected.max()
    if cells == 224:
        assert (got > 0).sum() == 60 * 60


def test_a_kernel_smaller_than_a_cell_keeps_the_point_as_its_mean() -> None:
    points = torch.linspace(-0.5, 0.5, 41)[None, :, None].repeat(1, 1, 2)
    maps = gaussians(points, 8, sigma=0.3, reach=0.6)
    back = HeatmapCodec.decode(maps.clamp(min=1e-38).log())
    assert ((back - points).abs().max() * 8).item() < 0.01
    assert ((maps > 0).sum(dim=(2, 3)) <= 9).all()


def test_targets_are_distributions_and_rows_run_down() -> None:
    codec = HeatmapCodec()
    target = codec.encode(torch.tensor([[[0.25, -0.25], [9.0, -9.0]]]), 16)
    assert torch.allclose(target.sum(dim=(2, 3)), torch.ones(1, 2), atol=1e-5)
    row, column = divmod(int(target[0, 0].argmax()), 18)
    assert (row, column) in {(4, 12), (4, 13), (5, 12), (5, 13)}  # up and to the right
    row, column = divmod(int(target[0, 1].argmax()), 18)
    assert (row, column) == (0, 17)  # far outside: the nearest corner


def test_a_single_sharp_cell_decodes_to_its_centre() -> None:
    maps = torch.full((1, 1, 10, 10), -100.0)
    maps[0, 0, 2, 7] = 100.0
    expected = [(7 - RING + 0.5) / 8 - 0.5, (2 - RING + 0.5) / 8 - 0.5]
    assert HeatmapCodec.decode(maps)[0, 0].tolist() == pytest.approx(expected, abs=1e-6)


def test_flat_maps_decode_to_the_middle_of_the_crop() -> None:
    assert HeatmapCodec.decode(torch.zeros(2, 3, 18, 18)).abs().max().item() < 1e-6


def test_decoding_has_a_gradient_towards_the_truth() -> None:
    maps = torch.zeros(1, 1, 10, 10, requires_grad=True)
    (gradient,) = torch.autograd.grad(HeatmapCodec.decode(maps)[0, 0, 0], maps)
    assert (gradient[0, 0, :, 9] > 0).all()
    assert (gradient[0, 0, :, 0] < 0).all()


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.nan])
def test_impossible_widths_are_refused(sigma: float) -> None:
    with pytest.raises(RunError, match="sigma"):
        HeatmapCodec(sigma)


@pytest.mark.parametrize(
    ("sigma_px", "kernel_px"), [(0.0, 60.0), (-1.0, 60.0), (10.0, 39.0), (math.nan, 60.0)]
)
def test_impossible_kernels_are_refused(sigma_px: float, kernel_px: float) -> None:
    with pytest.raises(RunError, match="kernel_px"):
        KernelCodec(sigma_px, kernel_px)


def test_a_codec_has_the_same_repr_as_in_older_checkpoints() -> None:
    """A run resumes only if its configuration has the same repr."""
    assert repr(HeatmapCodec()) == "HeatmapCodec(sigma=1.0)"
    assert repr(KernelCodec()) == "KernelCodec(sigma_px=10.0, kernel_px=60.0)"
