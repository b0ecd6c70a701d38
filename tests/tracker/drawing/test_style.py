from __future__ import annotations

import re

import pytest

from tracker.drawing.style import DEFAULT_STYLE, LAYERS, NONE, DrawStyle
from tracker.errors import MisuseError


def test_names_and_styles_belong_together() -> None:
    assert DrawStyle.parse("box, points,points").name == "points,box"
    assert DrawStyle.parse(NONE) == DrawStyle(frozenset())
    for style in (DEFAULT_STYLE, DrawStyle(frozenset()), DrawStyle(frozenset(LAYERS), labels=True)):
        assert DrawStyle.parse(style.name, style.labels) == style


@pytest.mark.parametrize("text", ["", "dots", "points,", "Points", "points lines"])
def test_unknown_names_are_refused_with_those_that_are_known(text: str) -> None:
    with pytest.raises(MisuseError, match="give none, or some of points,lines,mesh,box"):
        DrawStyle.parse(text)


def test_none_stands_alone() -> None:
    with pytest.raises(MisuseError, match="stands alone"):
        DrawStyle.parse("none,points")


def test_unknown_layers_are_refused() -> None:
    with pytest.raises(MisuseError, match=r"among points, lines, mesh, box, got 'dots'"):
        DrawStyle(frozenset({"dots"}))  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [None, 3, ["points"], float("nan"), b"points"])
def test_what_is_no_text_is_refused_in_one_line(wrong: object) -> None:
    with pytest.raises(MisuseError, match=re.escape(f"such as 'points,box', got {wrong!r}")):
        DrawStyle.parse(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [None, 3, "points", b"points", {"points": True}])
def test_layers_of_another_type_are_refused_in_one_line(wrong: object) -> None:
    with pytest.raises(
        MisuseError, match=re.escape(f"layers are a set such as {{'points', 'box'}}, got {wrong!r}")
    ):
        DrawStyle(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"dots"}, {None}, {3, "box"}, [["points"]], ["two\nlines"]])
def test_unknown_names_are_a_misuse_of_one_line(wrong: object) -> None:
    with pytest.raises(MisuseError, match="layers must be among points, lines, mesh, box, got") as caught:
        DrawStyle(wrong)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wrong", [None, 1, "yes"])
def test_labels_are_on_or_off(wrong: object) -> None:
    with pytest.raises(MisuseError, match=r"^labels is True or False, got"):
        DrawStyle(frozenset(), wrong)  # type: ignore[arg-type]
    with pytest.raises(MisuseError, match=r"^labels is True or False, got"):
        DrawStyle.parse("box", wrong)  # type: ignore[arg-type]


def test_layers_of_a_list_are_those_of_a_set() -> None:
    style = DrawStyle(["box", "points", "box"])  # type: ignore[arg-type]
    assert style == DrawStyle.parse("points,box")
    assert hash(style) == hash(DrawStyle.parse("points,box"))


def test_each_next_style_is_another_until_the_first_comes_again() -> None:
    styles = [DEFAULT_STYLE]
    while (style := styles[-1].next()) != DEFAULT_STYLE:
        assert style not in styles
        styles.append(style)
    assert {layer for style in styles for layer in style.layers} == set(LAYERS)
    assert not styles[-1].draws
    assert DrawStyle.parse("points,mesh").next() == DEFAULT_STYLE
    assert DrawStyle(frozenset(), labels=True).next() == DrawStyle(DEFAULT_STYLE.layers, labels=True)


def test_a_style_draws_layers_or_labels() -> None:
    assert DEFAULT_STYLE.draws
    assert DrawStyle(frozenset(), labels=True).draws
    assert not DrawStyle(frozenset()).draws
