import math

import cv2
import numpy as np
import pytest

from tests.train.evaluation.examples import evaluation
from train.evaluation.figures import error_curves, filter_grid, part_bars, png, training_curves
from train.evaluation.results import scores
from train.metrics import area_under_curve

LABEL_BOX = evaluation({"lfpw": [1, 3, 9], "helen": [2, 2]}, "label box")
OWN = evaluation({"lfpw": [2, 4, math.inf], "helen": [3, 5]})


def test_error_curves_hold_the_steps_of_each_condition_and_subset() -> None:
    panels = error_curves([LABEL_BOX, OWN]).axes
    assert [axes.get_title() for axes in panels] == ["lfpw", "helen", "lfpw + helen"]
    for axes in panels:
        assert axes.get_xlim() == (0, 8)
        assert axes.get_ylim() == (0, 100)
        assert [line.get_drawstyle() for line in axes.lines] == ["steps-post"] * 2
    blue, red = panels[0].lines
    assert blue.get_xdata() == pytest.approx([0, 1, 3, 8])
    assert blue.get_ydata() == pytest.approx([0, 100 / 3, 200 / 3, 200 / 3])
    assert red.get_xdata() == pytest.approx([0, 2, 4, 8])


def test_the_area_under_a_drawn_curve_is_the_one_in_its_legend() -> None:
    for axes in error_curves([OWN]).axes:
        (curve,) = axes.lines
        corners = np.asarray(curve.get_xydata())
        area = (np.diff(corners[:, 0]) * corners[:-1, 1]).sum() / 8
        rows = OWN.groups()[axes.get_title()]
        assert area / 100 == pytest.approx(area_under_curve(OWN.errors[rows]))
        legend = axes.get_legend()
        assert legend is not None
        assert legend.get_texts()[0].get_text() == f"own detector: AUC {area:.1f} %"


def test_a_condition_without_a_subset_leaves_no_curve_there() -> None:
    only_lfpw = evaluation({"lfpw": [2]})
    assert [len(axes.lines) for axes in error_curves([LABEL_BOX, only_lfpw]).axes] == [2, 1, 1]


def test_bars_are_as_high_as_the_errors_of_the_parts() -> None:
    (axes,) = part_bars([LABEL_BOX, OWN]).axes
    for bars, made in zip(axes.containers, [LABEL_BOX, OWN], strict=True):
        heights = [bar.get_height() for bar in bars]
        assert heights == pytest.approx(list(scores(made)[-1].parts.values()))
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["jaw", "brows", "nose", "eyes", "mouth"]
    lefts = sorted(bar.get_x() for bars in axes.containers for bar in bars)
    assert (np.diff(lefts) > 0.3).all()  # no bar hides another


def test_training_curves_show_results_only() -> None:
    log = {
        "epoch": np.array([1.0, 2, 3]),
        "size": np.full(3, 128.0),
        "loss": np.array([3.0, 2, 1]),
        "validation_error": np.array([400.0, math.nan, 4]),
        "validation_presence": np.full(3, math.nan),
        "elapsed_s": np.array([1.0, 2, 3]),
    }
    panels = training_curves(log).axes
    assert [axes.get_title() for axes in panels] == ["loss", "validation_error"]
    assert panels[0].lines[0].get_xydata() == pytest.approx(np.array([[1, 3], [2, 2], [3, 1]]))
    assert [axes.get_yscale() for axes in panels] == ["linear", "log"]


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


def test_png_is_deterministic() -> None:
    first, second = (png(part_bars([OWN])) for _ in range(2))
    assert first == second
    image = cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.std() > 10
