from __future__ import annotations

from pathlib import Path

import pytest

from tracker.errors import SourceError
from tracker.sources.patterns import is_numbered, name_matcher, numbered_path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("f_%d.png", True),
        ("f_%04d.png", True),
        ("%d", True),
        ("f_%s.png", False),
        ("f_%4d.png", False),
        ("f_%d_%d.png", False),
        ("clip.mp4", False),
    ],
)
def test_a_pattern_has_one_placeholder(tmp_path: Path, name: str, expected: bool) -> None:
    assert is_numbered(tmp_path / name) == expected


def test_an_existing_file_is_no_pattern(tmp_path: Path) -> None:
    path = tmp_path / "f_%d.png"
    path.touch()
    assert not is_numbered(path)


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("f_%d.png", ["f_0.png", "f_7.png", "f_1000.png"], ["f_07.png", "f_.png", "f_7.jpg", "f_\u0661.png"]),
        ("f_%03d.png", ["f_000.png", "f_007.png", "f_1000.png"], ["f_7.png", "f_07.png", "xf_007.png"]),
        ("a(%d).png", ["a(1).png"], ["a1.png"]),
    ],
)
def test_names_match_the_digits_and_the_text(pattern: str, matching: list[str], others: list[str]) -> None:
    matcher = name_matcher(Path(pattern))
    assert all(matcher.fullmatch(name) for name in matching)
    assert not any(matcher.fullmatch(name) for name in others)


def test_a_name_without_a_placeholder_is_an_error() -> None:
    with pytest.raises(SourceError, match="has no %d"):
        name_matcher(Path("clip.mp4"))


def test_numbers_are_padded_as_the_pattern_says() -> None:
    assert numbered_path(Path("a/f_%03d.png"), 7) == Path("a/f_007.png")
    assert numbered_path(Path("a/f_%03d.png"), 1234) == Path("a/f_1234.png")
    assert numbered_path(Path("a/f_%d.png"), 7) == Path("a/f_7.png")
