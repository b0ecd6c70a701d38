"""Schemes in TOML files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.toml import MOST_BYTES, find_scheme, read_scheme, read_toml, scheme_from_table
from tracker.scheme.value import CropRule, Scheme, Upright

CAT = """
name = "cat"
n_points = 5
names = ["left eye", "right eye", "nose", "left ear", "right ear"]
edges = [[0, 1], [0, 2], [1, 2]]
mirror = [1, 0, 2, 4, 3]

[upright]
left_eye = [0]
right_eye = [1]
mouth = [2]

[crop]
margin = 1.6
"""

SCHEME = Scheme(
    "cat",
    5,
    names=("left eye", "right eye", "nose", "left ear", "right ear"),
    edges=((0, 1), (0, 2), (1, 2)),
    mirror=(1, 0, 2, 4, 3),
    upright=Upright((0,), (1,), (2,)),
    crop=CropRule(1.6),
)


def test_a_scheme_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "cat.toml"
    path.write_text(CAT, encoding="utf-8")
    assert read_scheme(path) == SCHEME
    assert find_scheme(str(path)) == SCHEME
    path.write_text(CAT, encoding="utf-8-sig")  # as some editors on Windows write UTF-8
    assert read_scheme(path) == SCHEME


def test_a_scheme_is_found_by_its_name() -> None:
    assert find_scheme("ibug68") is IBUG68
    with pytest.raises(ValueError, match=r"unknown scheme 'ibug69': choose one of .*ibug68.* or a file"):
        find_scheme("ibug69")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"name = ", "is no TOML file"),
        (b"\xff\xfe", "it is not UTF-8"),
        (b"a = " + b"[" * 100_000, "is no TOML file"),
        (b"#" * (MOST_BYTES + 1), "larger than 1000 kB"),
        (b"", "needs name"),
        (b'name = "a"\nn_points = 1e3', "n_points must be a whole number"),
        (b'name = "a"\nn_points = 2030-01-01', "n_points must be a whole number"),
        (b'name = "a"\nn_points = 3\n[crop]\nmargin = nan', "margin must be a number above 0, got nan"),
    ],
)
def test_a_file_that_is_no_scheme_is_named_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(ValueError) as caught:
        read_scheme(path)
    assert str(caught.value).startswith(str(path))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.toml cannot be read: No such file"):
        read_toml(tmp_path / "none.toml")
    with pytest.raises(ValueError, match="cannot be read"):
        read_toml(tmp_path)


def test_a_models_file_names_a_scheme_or_holds_it(tmp_path: Path) -> None:
    where = tmp_path / "net.toml"
    (tmp_path / "cat.toml").write_text(CAT, encoding="utf-8")
    assert scheme_from_table({"name": "ibug68"}, where) is IBUG68
    assert scheme_from_table({"file": "cat.toml"}, where) == SCHEME
    assert scheme_from_table({"name": "mine", "n_points": 9}, where) == Scheme("mine", 9)
    for wrong, reason in [
        ({"name": "ibug69"}, "unknown scheme 'ibug69'"),
        ({"name": 3}, "name must be a text"),
        ({"file": "no.toml"}, "cannot be read"),
        ({"file": "cat.toml", "name": "cat"}, "needs n_points"),
        ("ibug68", "must be a table"),
        ({}, "needs name"),
    ]:
        with pytest.raises(ValueError, match=reason) as caught:
            scheme_from_table(wrong, where)
        assert str(tmp_path) in str(caught.value)
