import math

import cv2
import numpy as np
import pytest

from tests.train.evaluation.examples import evaluation, labelled_nose
from train.evaluation.figures import PALETTE, error_curves, filter_grid, part_bars, png, themed
from train.evaluation.results import scores
from train.metrics import area_under_curve

LABEL_BOX = evaluation({"lfpw": [1, 3, 9], "helen": [2, 2]}, "label box")
OWN = evaluation({"lfpw": [2, 4, math.inf], "helen": [3, 5]})
BOTH = {"label box": LABEL_BOX, "own detector": OWN}


def test_error_curves_hold_the_steps_of_each_condition_and_subset() -> None:
    panels = error_curves(BOTH).axes
    assert [axes.get_title() for axes in panels] == ["lfpw", "helen", "lfpw + helen"]
    for axes in panels:
        assert axes.get_xlim() == (0, 10)  # faces above 10 % count as failed
        assert axes.get_ylim()[0] == 0
        assert 100 <= axes.get_ylim()[1] < 105
        assert [line.get_drawstyle() for line in axes.lines] == ["steps-post"] * 2
    blue, red = panels[0].lines
    assert blue.get_xdata() == pytest.approx([0, 1, 3, 9, 10])
    assert blue.get_ydata() == pytest.approx([0, 100 / 3, 200 / 3, 100, 100])
    assert red.get_xdata() == pytest.approx([0, 2, 4, 10])


def test_the_area_under_a_drawn_curve_is_the_one_in_its_legend() -> None:
    for axes in error_curves({"own detector": OWN}).axes:
        (curve,) = axes.lines
        corners = np.asarray(curve.get_xydata())
        at = np.minimum(corners[:, 0], 8)  # the area ends before the curve
        area = (np.diff(at) * corners[:-1, 1]).sum() / 8
        rows = OWN.groups()[axes.get_title()]
        assert area / 100 == pytest.approx(area_under_curve(OWN.errors[rows]))
        legend = axes.get_legend()
        assert legend is not None
        assert legend.get_texts()[0].get_text() == f"own detector, AUC to 8 %: {area:.1f} %"


def test_a_condition_without_a_subset_leaves_no_curve_there() -> None:
    some = {"label box": LABEL_BOX, "own detector": evaluation({"lfpw": [2]})}
    assert [len(axes.lines) for axes in error_curves(some).axes] == [2, 1, 1]


def test_bars_are_as_high_as_the_errors_of_the_parts() -> None:
    (axes,) = part_bars(BOTH).axes
    for bars, made in zip(axes.containers, [LABEL_BOX, OWN], strict=True):
        heights = [bar.get_height() for bar in bars]
        assert heights == pytest.approx(list(scores(made)[-1].parts.values()))
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["jaw", "brows", "nose", "eyes", "mouth"]
    lefts = sorted(bar.get_x() for bars in axes.containers for bar in bars)
    assert (np.diff(lefts) > 0.3).all()  # no bar hides another


def test_filters_share_one_scale_with_zero_in_its_middle() -> None:
    kernels = np.random.default_rng(0).normal(0, 1, (20, 5, 5))
    kernels[3, 2, 2] = -7
    panels = filter_grid(kernels).axes
    assert len(panels) == 20
    for axes, kernel in zip(panels, kernels, strict=True):
        (image,) = axes.images
        assert np.array_equal(np.asarray(image.get_array()), kernel)
        assert image.get_clim() == (-7, 7)


def test_filters_of_zeros_are_drawn() -> None:
    png(filter_grid(np.zeros((1, 3, 3))))


def test_a_limit_before_the_end_of_the_axis_is_marked() -> None:
    nose = labelled_nose([3.0, 15.0])
    (axes,) = error_curves({"funnel": nose, "fan": nose}).axes
    assert axes.get_xlim() == (0, 20)
    assert [line.get_linestyle() for line in axes.lines] == ["-", "-", ":"]
    assert np.asarray(axes.lines[2].get_xdata()).tolist() == [12.0, 12.0]
    assert axes.get_xlabel() == "distance, px of 640x480"


def test_a_network_that_fails_on_most_faces_is_drawn_whole() -> None:
    bad = evaluation({"lfpw": [20, 40, 60, math.inf]})
    (axes,) = error_curves({"own detector": bad}).axes
    assert 40 < axes.get_xlim()[1] <= 60
    curve, limit = axes.lines
    assert np.asarray(curve.get_ydata())[-1] == 50  # of the faces, within the axis
    assert np.asarray(limit.get_xdata()).tolist() == [10.0, 10.0]
    nothing = evaluation({"lfpw": [math.inf]})
    assert error_curves({"own detector": nothing}).axes[0].get_xlim() == (0, 10)


def test_themes_differ_in_their_ground_only() -> None:
    light, dark = (
        cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR)
        for one in themed(lambda: part_bars({"own detector": OWN}))
    )
    assert light is not None
    assert dark is not None
    assert light.shape == dark.shape
    assert light[0, 0].min() > 250 > 40 > dark[0, 0].max()
    assert png(part_bars({"own detector": OWN})) == themed(lambda: part_bars({"own detector": OWN}))[0]


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.1."""
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize("ground", ["#ffffff", "#15181d"])
def test_colours_of_lines_stand_out_on_both_pages(ground: str) -> None:
    for colour in PALETTE:
        low, high = sorted((luminance(colour), luminance(ground)))
        assert (high + 0.05) / (low + 0.05) >= 3  # WCAG 2.1, 1.4.11


def test_png_is_deterministic() -> None:
    first, second = (png(part_bars({"own detector": OWN})) for _ in range(2))
    assert first == second
    image = cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.std() > 10
