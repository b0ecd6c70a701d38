"""Keys of the live window: codes, and the places that list them for the user."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracker.cli.track import track
from tracker.runs.keys import HELP_LINES, KEYS, key_of

README = Path(__file__).resolve().parents[3] / "README.md"


@pytest.mark.parametrize(
    ("code", "key"),
    [
        (-1, None),  # no key
        (ord("q"), "q"),
        (ord("Q"), "q"),
        (27, "q"),  # Esc
        (ord("s"), "s"),
        (ord("z"), None),
        (0xFF51, None),  # the left arrow of X11, which ends in a Q
        (0x10000 | ord("s"), "s"),  # with a modifier such as Num Lock
    ],
)
def test_key_of_a_code(code: int, key: str | None) -> None:
    assert key_of(code) == key


def test_the_help_overlay_lists_every_key() -> None:
    assert [line.split(":")[0] for line in HELP_LINES] == list(KEYS)


def test_readme_lists_exactly_these_keys() -> None:
    sentence = next(line for line in README.read_text(encoding="utf-8").splitlines() if "Keys:" in line)
    (start,) = re.findall(r"Keys:(.*)", sentence)
    text = README.read_text(encoding="utf-8")
    listed = re.findall(r"\*\*(\w)\*\*", text[text.index(start) :].split("\n\n")[0])
    assert listed == list(KEYS)


def test_the_help_text_of_the_command_lists_only_keys_that_exist() -> None:
    listed = re.findall(r"\*\*(\w)\*\*", track.__doc__ or "")
    assert listed
    assert set(listed) <= set(KEYS)
