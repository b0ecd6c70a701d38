"""Keys of the live window: codes, and the places that list them for the user."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracker.cli.track import track
from tracker.runs.keys import CAPS, KEYS, key_of

REPO = Path(__file__).resolve().parents[3]
PAGES = (REPO / "README.md", *sorted((REPO / "docs").rglob("*.md")))


@pytest.mark.parametrize(
    ("code", "key"),
    [
        (-1, None),  # no key
        (ord("q"), "q"),
        (ord("Q"), "q"),
        (27, "q"),  # Esc
        (ord("s"), "s"),
        (ord("z"), None),
        (ord(" "), "space"),
        (ord(","), ","),
        (ord("."), "."),
        (0xFF51, "left"),  # X11
        (0xFF53, "right"),
        (0x10000 | 0xFF53, "right"),  # with Num Lock
        (0x250000, "left"),  # Windows
        (0x270000, "right"),
        (0xF702, "left"),  # macOS
        (0xF703, "right"),
        (0xFF52, None),  # the up arrow of X11, which ends in an R
        (0xFF50, None),  # Home, which ends in a P
        (0x10000 | ord("s"), "s"),
    ],
)
def test_key_of_a_code(code: int, key: str | None) -> None:
    assert key_of(code) == key


def test_every_key_can_be_pressed_and_labels_are_of_keys() -> None:
    codes = [*range(256), 0xFF51, 0xFF53]
    assert {key for code in codes if (key := key_of(code))} == set(KEYS)
    assert set(CAPS) <= set(KEYS)


def test_the_help_text_of_the_command_lists_exactly_these_keys() -> None:
    assert re.findall(r"\*\*(\S+)\*\*", track.__doc__ or "") == list(KEYS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_with_a_table_of_keys_has_all_of_them(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    tables = [number for number, line in enumerate(lines) if re.match(r"\|\s*Key\s*\|", line)]
    for start in tables:
        rows = [line.split("|")[1:3] for line in lines[start + 2 :]]
        rows = rows[: next((n for n, row in enumerate(rows) if len(row) < 2), len(rows))]
        listed = {re.sub(r"[`*]", "", key).strip().lower(): text.strip() for key, text in rows}
        assert listed == dict(KEYS)
