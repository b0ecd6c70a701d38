"""Schemes as plain values: exact round trips through JSON, and refusals in one line."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.plain import from_plain, to_plain
from tracker.scheme.shipped import SCHEMES
from tracker.scheme.value import MARGINS, MOST_SHIFT, CropRule, Measured, Scheme, Upright, chain

FIVE = Scheme(
    "five",
    5,
    parts={"eyes": (0, 1), "mouth": (3, 4)},
    closed=frozenset({"mouth"}),
    edges=((0, 1), (3, 4)),
    names=("left eye", "right eye", "nose", "left corner", "right corner"),
    mirror=(1, 0, 2, 4, 3),
    normaliser=(0, 1),
    upright=Upright((0,), (1,), (3, 4)),
    steady=(0, 1, 2),
    crop=CropRule(2.5, 1.5, (0.1, -0.2)),
)


# No subnormal numbers: a runtime that another test has opened may round them to zero in this process.
@st.composite
def schemes(draw: st.DrawFn) -> Scheme:
    n = draw(st.integers(4, 40))
    order = list(range(n))
    random.Random(draw(st.integers(0, 99))).shuffle(order)
    mirror = list(range(n))
    for a, b in zip(order[::2], order[1::2], strict=False):
        mirror[a], mirror[b] = b, a
    cut = draw(st.integers(1, n - 1))
    points = st.lists(st.integers(0, n - 1), min_size=1, max_size=6).map(tuple)
    ring = st.none() | st.just(tuple(order[:4]))
    eyes = draw(ring)
    pose = st.none() | st.just(tuple((point, 30) for point in (order * 2)[:6]))
    shifts = st.floats(-MOST_SHIFT, MOST_SHIFT, allow_subnormal=False)
    margins = st.floats(*MARGINS)
    name = st.text("abc é-7", min_size=1, max_size=20)
    return Scheme(
        draw(name),
        n,
        parts={"a": tuple(order[:cut]), "b": tuple(order[cut:])},
        closed=frozenset(draw(st.sets(st.sampled_from(["a", "b"])))),
        edges=draw(st.sampled_from([(), chain(order), chain(order, closed=True)])),
        mesh=draw(st.sampled_from([(), chain(order)])),
        names=draw(st.sampled_from([(), tuple(f"point {i}" for i in range(n))])),
        mirror=draw(st.sampled_from([None, tuple(mirror)])),
        normaliser=draw(st.sampled_from([None, (order[0], order[1])])),
        upright=draw(st.none() | st.builds(Upright, points, points, points)),
        steady=draw(st.just(()) | points),
        measured=Measured(eyes, eyes, draw(ring), draw(pose)),
        crop=CropRule(draw(margins), draw(margins), (draw(shifts), draw(shifts))),
    )


@given(schemes())
def test_a_scheme_survives_json_exactly(scheme: Scheme) -> None:
    text = json.dumps(to_plain(scheme), allow_nan=False)
    assert from_plain(json.loads(text)) == scheme


@pytest.mark.parametrize("scheme", [FIVE, *SCHEMES.values()], ids=lambda scheme: scheme.name)
def test_each_shipped_scheme_survives_json_exactly(scheme: Scheme) -> None:
    again = from_plain(json.loads(json.dumps(to_plain(scheme))))
    assert again == scheme
    assert list(again.parts) == list(scheme.parts)


def test_defaults_are_left_out() -> None:
    assert to_plain(Scheme("bare", 7)) == {"name": "bare", "n_points": 7}


def test_numbers_of_toml_may_be_whole() -> None:
    made = from_plain({"name": "a", "n_points": 3, "crop": {"margin": 2}})
    assert made.crop == CropRule(margin=2.0)
    assert isinstance(made.crop.margin, float)


PLAIN = to_plain(IBUG68)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"n_points": "68"}, "scheme: n_points must be a whole number from 0 to 1000000000, got '68'"),
        ({"n_points": True}, "n_points must be a whole number"),
        ({"n_points": 67}, "scheme: parts: there is no point 67 among 0 to 66"),
        ({"n_points": 10**30}, "n_points must be a whole number"),
        ({"n_points": 10**6}, "a scheme has 3 to 1000 points, got 1000000"),
        ({"name": ""}, "name must be a text"),
        ({"name": "a\nb"}, "name must be a text"),
        ({"name": "a" * 100}, "printable name of 1 to 64"),
        ({"mirror": [0, 1]}, "points 0 to 67 in pairs, got 2 numbers for 68 points"),
        ({"mirror": [0, *range(67)]}, "in pairs, and 67 is not among them"),
        ({"mirror": [1, 2, 0, *range(3, 68)]}, "in pairs: 1 goes to 2, but 2 to 0"),
        ({"mirror": [68, *range(1, 68)]}, "in pairs, and 0 is not among them"),
        ({"parts": {"jaw": [0, 1], "chin": [1]}}, "belongs to one part at most, and 1 is there twice"),
        ({"parts": {"jaw": []}}, "scheme: parts: jaw has no points; leave it out"),
        ({"edges": [[0, 1], [3, 3]]}, "edges join two different points, got [3, 3]"),
        ({"mesh": [[3, 3]]}, "edges join two different points, got [3, 3]"),
        ({"mirror": 3}, "mirror must be a list of numbers of points"),
        ({"edges": [[0, 1, 2]]}, "edges must be a list of pairs"),
        ({"edges": [[0, 1]] * 10_001}, "edges must be a list of pairs"),
        ({"edges": [[0, -1]]}, "edges must be a list of pairs"),
        ({"parts": [1]}, "parts must be a table"),
        ({"parts": {"jaw": "0-16"}}, "parts must be a table of lists"),
        ({"closed": ["nothing"]}, "closed parts that are no parts: nothing"),
        ({"names": ["a"] * 68}, "names are 68 different ones or none, and 'a' is there twice"),
        ({"names": ["a", "b"]}, "names are 68 different ones or none, got 2"),
        ({"normaliser": [36]}, "normaliser must be two numbers of points"),
        ({"upright": {"left_eye": [1]}}, "scheme.upright needs right_eye"),
        ({"upright": {"left_eye": [], "right_eye": [1], "mouth": [2]}}, "scheme: an upright rule names"),
        ({"upright": [1]}, "scheme.upright must be a table"),
        ({"measured": {"left_eye": [1, 2, 3, 4]}}, "both eyes are measured"),
        ({"measured": {"nose": [1]}}, "scheme.measured has no field 'nose'"),
        ({"crop": {"margin": 0}}, "scheme.crop: margin must be a number above 0, got 0"),
        ({"crop": {"margin": math.inf}}, "margin must be a number above 0"),
        ({"crop": {"margin": 10**400}}, "margin must be a number above 0, got"),
        ({"crop": {"margin": 1e9}}, "margins of a crop lie in 0.1 to 100, got 1e+09 and 1.35"),
        ({"crop": {"box_shift": [0, -10.5]}}, "box_shift lies in -10 to 10 sides, got (0.0, -10.5)"),
        ({"crop": {"box_margin": 1e-9}}, "margins of a crop lie in 0.1 to 100"),
        ({"crop": {"box_shift": [0.1]}}, "box_shift must be two numbers"),
        ({"crop": {"box_shift": [math.nan, 0]}}, "box_shift must be two numbers"),
        ({"egdes": []}, "scheme has no field 'egdes': did you mean edges"),
    ],
)
def test_anything_else_is_refused_in_one_line(change: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError) as caught:
        from_plain(PLAIN | change)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("plain", [None, 3, "ibug68", [], [["name", "a"]], {}, {"name": "a"}, {3: 4}])
def test_what_is_no_scheme_is_refused(plain: object) -> None:
    with pytest.raises(ValueError, match=r"^scheme"):
        from_plain(plain)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_subnormal=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(st.sampled_from(sorted(PLAIN)), ANYTHING)
def test_a_field_of_any_value_makes_a_scheme_or_one_line(name: str, value: object) -> None:
    line = ""
    try:
        from_plain(PLAIN | {name: value})
    except ValueError as error:
        line = str(error)
    assert "\n" not in line
