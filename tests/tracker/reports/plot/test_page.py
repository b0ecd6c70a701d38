"""The page of a timeline: self-contained, and safe with any file name."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.timelines import face_line, result_lines, video_timeline
from tracker.reports.plot.timeline import timeline
from tracker.scheme.value import plain_scheme

pytest.importorskip("matplotlib")
from tracker.reports.plot.page import timeline_page


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.external: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "data") and not (value or "").startswith("#"):
                self.external.append(f"{name}={value}")
            assert not name.startswith("on")

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_loads_nothing_and_escapes_names() -> None:
    page = _Page()
    page.feed(
        timeline_page(video_timeline(people=2, source='</title><script>alert(1)</script>".mp4')).decode()
    )
    assert page.external == []
    assert {"svg", "table"} <= set(page.tags)
    assert "script" not in page.tags
    assert "</title><script>" in page.text


def test_the_table_shows_the_numbers_of_each_face() -> None:
    some = result_lines(*[(face_line(1, 2 * (i > 10)),) if i != 5 else () for i in range(26)])
    page = timeline_page(timeline(some, "o")).decode()
    row = page[page.index("<td style") :].split("</tr>")[0]
    cells = [cell.split(">")[-1] for cell in row.split("</td>")[:-1]]
    assert cells == ["1", "0.0 s", "1.0 s", "25", "1", "1", "60.0", "1.0", "2.0", "", "0.100", "0.900", ""]


def test_the_table_has_no_blinks_of_points_that_do_not_show_any() -> None:
    some = result_lines(*[(replace(face_line(1), yaw_deg=None),)] * 26)
    lines = [replace(line, scheme=plain_scheme("fox", 5)) for line in some]
    page = timeline_page(timeline(lines, "o")).decode()
    row = page[page.index("<td style") :].split("</tr>")[0]
    cells = [cell.split(">")[-1] for cell in row.split("</td>")[:-1]]
    assert cells == ["1", "0.0 s", "1.0 s", "26", "0", "", "", "", "2.0", "", "0.100", "0.900", ""]
