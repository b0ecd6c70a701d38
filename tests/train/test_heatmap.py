import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from train.errors import RunError  # noqa: E402
from train.heatmap import RING, HeatmapCodec, cell_centers  # noqa: E402

COORDINATE = st.floats(-0.5, 0.5, width=32, allow_subnormal=False)  # inference flushes them to zero


@settings(deadline=None)
@given(
    x=COORDINATE, y=COORDINATE, cells=st.sampled_from([8, 16, 32, 56]), sigma=st.sampled_from([0.7, 1.0, 2.0])
)
def test_encode_then_decode_returns_the_point_anywhere_in_the_crop(x, y, cells, sigma):
    """To a hundredth of a cell, at the crop's very edge too, where a plain Gaussian is half a cell off."""
    point = torch.tensor([[[x, y]]], dtype=torch.float32)
    codec = HeatmapCodec(sigma)
    back = codec.decode(codec.encode(point, cells).clamp(min=1e-38).log())
    assert ((back - point).abs().max() * cells).item() < 0.01


def test_a_plain_gaussian_would_fail_there():
    """The round trip has teeth: without the correction the error at the edge is over a tenth of a cell."""
    centers = cell_centers(8) * 8
    plain = torch.softmax(-0.5 * (centers + 4.0) ** 2, dim=0)  # a point on the crop's left edge
    assert abs((plain * centers).sum().item() + 4.0) > 0.1


def test_targets_inside_are_the_normalised_gaussian():
    """Independent of our code: numpy's outer product of two sampled normals."""
    codec, cells, sigma = HeatmapCodec(1.5), 32, 1.5
    x, y = 0.1, -0.07
    centers = (np.arange(-RING, cells + RING) + 0.5) / cells - 0.5
    along = [np.exp(-0.5 * ((centers - at) * cells / sigma) ** 2) for at in (x, y)]
    expected = np.outer(along[1] / along[1].sum(), along[0] / along[0].sum())
    got = codec.encode(torch.tensor([[[x, y]]]), cells)[0, 0].numpy()
    assert got.shape == (34, 34)
    assert np.abs(got - expected).max() < 1e-5


def test_targets_are_distributions_and_rows_run_down():
    codec = HeatmapCodec()
    target = codec.encode(torch.tensor([[[0.25, -0.25], [9.0, -9.0]]]), 16)
    assert torch.allclose(target.sum(dim=(2, 3)), torch.ones(1, 2), atol=1e-5)
    row, column = divmod(int(target[0, 0].argmax()), 18)
    assert (row, column) in {(4, 12), (4, 13), (5, 12), (5, 13)}  # up and to the right
    row, column = divmod(int(target[0, 1].argmax()), 18)
    assert (row, column) == (0, 17)  # far outside: the nearest corner


def test_a_single_sharp_cell_decodes_to_its_centre():
    maps = torch.full((1, 1, 10, 10), -100.0)
    maps[0, 0, 2, 7] = 100.0
    expected = [(7 - RING + 0.5) / 8 - 0.5, (2 - RING + 0.5) / 8 - 0.5]
    assert HeatmapCodec.decode(maps)[0, 0].tolist() == pytest.approx(expected, abs=1e-6)


def test_flat_maps_decode_to_the_middle_of_the_crop():
    assert HeatmapCodec.decode(torch.zeros(2, 3, 18, 18)).abs().max().item() < 1e-6


def test_decoding_has_a_gradient_towards_the_truth():
    maps = torch.zeros(1, 1, 10, 10, requires_grad=True)
    HeatmapCodec.decode(maps)[0, 0, 0].backward()
    assert (maps.grad[0, 0, :, 9] > 0).all()
    assert (maps.grad[0, 0, :, 0] < 0).all()


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.nan])
def test_impossible_widths_are_refused(sigma):
    with pytest.raises(RunError, match="sigma"):
        HeatmapCodec(sigma)
