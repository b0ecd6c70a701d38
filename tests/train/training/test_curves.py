import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from train.training.curves import draw_curves, write_curves

LOG = {
    "epoch": np.array([0.0, 1, 2, 3]),
    "size": np.full(4, 128.0),
    "lr": np.array([math.nan, 1e-3, 5e-4, 1e-5]),
    "loss": np.array([math.nan, 30, 2, 1.0]),
    "validation_loss": np.array([40, 20, 3.0, 2]),
    "loss_maps": np.array([math.nan, 3, 2.5, 2.0]),
    "validation_loss_maps": np.array([3.2, 3, 2.8, 2.7]),
    "validation_error": np.array([400.0, math.nan, 4, 3]),
    "validation_presence": np.full(4, math.nan),
    "elapsed_s": np.array([0.0, 1, 2, 3]),
}


def test_each_value_has_a_panel_with_training_beside_validation() -> None:
    panels = draw_curves(LOG, "NME, %").axes
    titles = ["loss, sum of its terms", "maps: cross-entropy, nats", "validation: NME, %", "learning rate"]
    assert [axes.get_title() for axes in panels] == titles
    assert [len(axes.lines) for axes in panels] == [2, 2, 1, 1]
    training, validation = panels[0].lines
    assert np.array_equal(np.asarray(training.get_ydata()), LOG["loss"], equal_nan=True)
    assert np.array_equal(np.asarray(validation.get_ydata()), LOG["validation_loss"], equal_nan=True)
    assert panels[0].get_legend() is not None
    assert panels[3].get_legend() is None
    assert {axes.get_xlabel() for axes in panels} == {"epoch"}


def test_scales_are_logarithmic_where_values_span_a_decade_and_else_begin_at_zero() -> None:
    panels = draw_curves(LOG, "NME, %").axes
    assert [axes.get_yscale() for axes in panels] == ["log", "linear", "log", "linear"]
    for axes in (panels[1], panels[3]):
        assert axes.get_ylim()[0] == 0


def test_few_rows_have_dots() -> None:
    short = {"epoch": np.array([1.0, 2]), "loss": np.array([2.0, 1])}
    (axes,) = draw_curves(short, "px").axes
    assert axes.lines[0].get_marker() == "."
    long = {"epoch": np.arange(50.0), "loss": np.linspace(2, 1, 50)}
    assert draw_curves(long, "px").axes[0].lines[0].get_marker() in ("", "None")


@pytest.mark.parametrize("value", [math.nan, 0.0, -1.0, math.inf])
def test_unusual_values_are_drawn(tmp_path: Path, value: float) -> None:
    row = {"epoch": 1.0, "loss": value, "lr": value}
    write_curves(tmp_path / "curves.png", [row], "px")
    image = cv2.imread(str(tmp_path / "curves.png"))
    assert image is not None
    assert image.std() > 1
