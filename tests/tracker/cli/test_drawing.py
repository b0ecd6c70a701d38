"""Options on what is drawn and hidden in pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import typer

from tests.batches import LIGHT_ARGUMENTS
from tests.cli import run_cli
from tests.faces import astronaut
from tracker.cli.drawing import check_mask_scale, check_style, has_pictures, parse_style
from tracker.drawing.style import DEFAULT_STYLE, DrawStyle
from tracker.runs.targets import OutputTargets

NONE = DrawStyle(frozenset())


def test_without_the_option_the_default_is_drawn() -> None:
    assert parse_style(None, False) == DEFAULT_STYLE
    assert parse_style(None, True) == DrawStyle(DEFAULT_STYLE.layers, labels=True)
    assert parse_style("mesh,points", False) == DrawStyle(frozenset({"mesh", "points"}))


@pytest.mark.parametrize("text", ["", "dots", "points,", "points,dots", "none,points", "points;lines"])
def test_unknown_layers_are_refused_with_the_list(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"--draw: .*(some of points,lines,mesh,box|stands alone)"):
        parse_style(text, False)


def test_a_drawing_that_nobody_sees_is_wrong_usage() -> None:
    with pytest.raises(typer.BadParameter, match="give --output with them"):
        check_style(True, DEFAULT_STYLE, None, has_pictures=False)
    check_style(False, DEFAULT_STYLE, None, has_pictures=False)
    with pytest.raises(typer.BadParameter, match="leave --draw none out"):
        check_style(True, NONE, "points", has_pictures=True)
    check_style(True, NONE, "blur", has_pictures=True)


@pytest.mark.parametrize("anonymise", [None, "points"])
def test_a_mask_scale_needs_a_mask(anonymise: str | None) -> None:
    with pytest.raises(typer.BadParameter, match="give --anonymise blur, pixelate or solid with it"):
        check_mask_scale(1.2, anonymise)
    check_mask_scale(None, anonymise)


def test_a_window_an_output_and_a_virtual_camera_have_pictures() -> None:
    assert has_pictures(OutputTargets(), shown=True)
    assert has_pictures(OutputTargets(output=Path("o.mp4")), shown=False)
    assert has_pictures(OutputTargets(virtual_camera="auto"), shown=False)
    assert not has_pictures(OutputTargets(json=Path("o.jsonl")), shown=False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--draw", "dots", "--output", "o"), "'dots' is no layer"),
        (("--draw", "points", "--json", "o"), "are for pictures"),
        (("--labels-on-faces", "--json", "o"), "are for pictures"),
        (("--mask-scale", "2", "--output", "o"), "the size of a mask"),
        (("--mask-scale", "0.3", "--anonymise", "blur", "--output", "o"), "greater than or equal to 0.5"),
        (("--anonymise", "points", "--draw", "none", "--output", "o"), "leave --draw none out"),
    ],
)
def test_wrong_usage_is_said_before_anything_opens(options: tuple[str, ...], words: str) -> None:
    done = run_cli("--images", "nowhere", *options)
    assert done.exit_code == 2
    assert words in " ".join(done.stderr.replace("│", " ").split())


def test_pictures_hold_what_draw_names(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), astronaut())
    changed: dict[str, npt.NDArray[np.bool_]] = {}
    for draw in ("none", "points", "lines", "box", "points,lines,box"):
        options = ("--output", tmp_path / "o.png", "--draw", draw)
        done = run_cli("--images", tmp_path / "a.png", *options, *LIGHT_ARGUMENTS)
        assert done.exit_code == 0, done.stderr
        marked = np.asarray(cv2.imread(str(tmp_path / "o.png")), np.uint8)
        changed[draw] = np.asarray(np.any(marked != astronaut(), axis=2))
    assert not changed["none"].any()
    assert all(changed[layer].any() for layer in ("points", "lines", "box"))
    union = changed["points"] | changed["lines"] | changed["box"]
    np.testing.assert_array_equal(changed["points,lines,box"] & ~union, False)
