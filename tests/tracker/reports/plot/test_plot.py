"""Plots are judged by eye; here: they are made of anything, say the right numbers, and hold nothing else."""

from __future__ import annotations

import math
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from tests.cli import assert_one_line_error, run_cli
from tests.media import face_video
from tests.results import FAILURE, frames_of_one_face, write_json_lines
from tests.tracker.reports.plot.test_timeline import face, lines
from tracker.reports.plot.lines import broken, clock, count, headline, longest, row_note, runs, thin, tick
from tracker.reports.plot.timeline import Timeline, timeline
from tracker.sinks.json_lines import FaceLine, ResultLine

pytest.importorskip("matplotlib")


def png_size(data: bytes) -> tuple[int, int]:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image.shape[1], image.shape[0]


def a_video(count: int = 40, people: int = 1, source: str = "a.mp4") -> Timeline:
    some = [
        ResultLine(
            source, i, i / 25, tuple(face(n, i // 20) for n in range(1, people + 1) if (i + n) % 9), None
        )
        for i in range(count)
    ]
    return timeline(some, "o")


@pytest.mark.parametrize("people", [0, 2, 30])
def test_any_number_of_faces_is_drawn(people: int) -> None:
    from tracker.reports.plot.figure import draw_timeline

    width, height = png_size(draw_timeline(a_video(people=people), "png"))
    assert width == 1560
    assert 200 < height < 4000


def test_the_same_results_give_the_same_drawing() -> None:
    from tracker.reports.plot.figure import draw_timeline

    first, second = (draw_timeline(a_video(people=3), "svg") for _ in range(2))
    assert first == second
    assert b"<svg" in first


_numbers = st.sampled_from((0.0, 0.3, 5.0, 1e9)) | st.none()
_angles = st.sampled_from((-180.0, -3.0, 0.0, 90.0)) | st.none()
_faces = st.builds(
    FaceLine,
    id=st.sampled_from((1, 2, 3, 900)),
    score=st.sampled_from((0.0, 1.0)),
    quality=st.sampled_from((None, 0.5)),
    eye_left=_numbers,
    eye_right=_numbers,
    mouth=_numbers,
    yaw_deg=_angles,
    pitch_deg=_angles,
    roll_deg=_angles,
    blinks=st.integers(0, 3),
)
_lines = st.lists(
    st.lists(_faces, max_size=3, unique_by=lambda found: found.id) | st.none(), min_size=1, max_size=6
)


@settings(max_examples=6, phases=[Phase.explicit, Phase.generate])
@example(seen=[None, None], step_s=0.0, name="")
@given(seen=_lines, step_s=st.sampled_from((0.0, 0.04, 1e7)), name=st.text(max_size=6))
def test_whatever_can_be_read_can_be_drawn(seen: list[Any], step_s: float, name: str) -> None:
    from tracker.reports.plot.figure import draw_timeline

    some = [
        ResultLine(name, i, step_s * i, tuple(found or ()), None if found is not None else "no")
        for i, found in enumerate(seen)
    ]
    assert draw_timeline(timeline(some, "o"), "png").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "name", ["$x_{1$ \\frac.mp4", "a\x1b[2J\n.mp4", "東京 \U0001f600.mp4", "\udcff.mp4", "x" * 5000]
)
def test_any_name_can_be_a_title(name: str) -> None:
    from tracker.reports.plot.figure import draw_timeline
    from tracker.reports.plot.page import timeline_page

    line = a_video(3, source=name)
    assert png_size(draw_timeline(line, "png"))[0] == 1560
    timeline_page(line).decode("utf-8")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.outside: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "data") and not (value or "").startswith("#"):
                self.outside.append(f"{name}={value}")
            assert not name.startswith("on")

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_holds_all_it_needs_and_a_name_stays_a_name() -> None:
    from tracker.reports.plot.page import timeline_page

    page = _Page()
    page.feed(timeline_page(a_video(people=2, source='</title><script>alert(1)</script>".mp4')).decode())
    assert page.outside == []
    assert {"svg", "table"} <= set(page.tags)
    assert "script" not in page.tags
    assert "</title><script>" in page.text


def test_the_table_says_the_numbers() -> None:
    from tracker.reports.plot.page import timeline_page

    some = lines(*[(face(1, 2 * (i > 10)),) if i != 5 else () for i in range(26)])
    page = timeline_page(timeline(some, "o")).decode()
    row = page[page.index("<td style") :].split("</tr>")[0]
    cells = [cell.split(">")[-1] for cell in row.split("</td>")[:-1]]
    assert cells == ["1", "0.0 s", "1.0 s", "25", "1", "1", "60.0", "1.0", "2.0", "", "0.100", "0.900", ""]


def test_words_of_the_plot() -> None:
    assert [clock(s) for s in (0, 59.94, 60, 3599.7, 3600, -75)] == [
        "0.0 s", "59.9 s", "1:00", "1:00:00", "1:00:00", "-1:15",
    ]  # fmt: skip
    assert count(1, "face") == "1 face"
    assert count(2000, "face") == "2,000 faces"
    line = timeline(lines((face(1),), None, (), (face(1),)), "o")
    assert headline(line).split("   ·   ") == [
        "4 frames", "0.1 s", "1 face", "1 frame without a face", "1 could not be read",
    ]  # fmt: skip
    assert row_note(line, line.faces[0]) == "50 %, 2 lost"
    assert tick(0.5, line) == "0.5 s"
    assert runs(line.faces[0]) == [(0, 0), (3, 3)]
    assert [found.id for found in longest(a_video(people=5).faces, 2)] == [1, 2]


def test_no_line_bridges_a_gap() -> None:
    line = timeline(lines((face(1),), (face(1),), (), (face(1),)), "o")
    times, (mouth,) = broken(line, line.faces[0], line.faces[0].values["mouth"])
    np.testing.assert_allclose(times, [0, 0.04, 0.12, 0.12])
    np.testing.assert_array_equal(np.isnan(mouth), [False, False, True, False])


def test_thinning_keeps_peaks_and_gaps() -> None:
    x = np.arange(100_000.0)
    y = np.sin(x / 1000)
    y[50_001], y[70_000:70_200] = 9.0, math.nan
    few, low = thin(x, y, 3000)
    assert len(few) <= 3000
    assert np.nanmax(low) == 9.0
    assert np.isnan(low[(few >= 70_000) & (few < 70_200)]).any()
    assert (np.diff(few) > 0).all()
    assert thin(x[:10], y[:10], 3000)[0] is not None


def test_the_command_draws_what_the_tracker_wrote(tmp_path: Path) -> None:
    video = face_video(tmp_path / "in.mp4", 6)
    results = tmp_path / "o.jsonl"
    assert run_cli("--video", video, "--no-window", "--json", results).exit_code == 0
    done = run_cli("plot", results)
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{tmp_path / 'o.png'}\n", "")
    assert png_size((tmp_path / "o.png").read_bytes())[0] == 1560
    done = run_cli("plot", results, "--output", tmp_path / "o.html")
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "o.html").read_text().startswith("<!doctype html>")


def test_a_file_that_breaks_off_is_drawn_with_a_note(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "o.jsonl", frames_of_one_face(5))
    path.write_bytes(path.read_bytes()[:-20])
    done = run_cli("plot", path)
    assert done.exit_code == 0
    assert done.stderr == f"tracker: {path} breaks off in line 5: drawn up to there\n"
    assert (tmp_path / "o.png").exists()


def test_another_file_is_one_line_of_error_and_draws_nothing(tmp_path: Path) -> None:
    (tmp_path / "o.jsonl").write_text("frame,id\n1,2\n")
    assert_one_line_error(run_cli("plot", tmp_path / "o.jsonl"), "o.jsonl:1", "--json")
    assert not (tmp_path / "o.png").exists()


def test_wrong_outputs_are_refused(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "o.jsonl", frames_of_one_face(), FAILURE)
    assert run_cli("plot", path, "--output", tmp_path / "o.pdf").exit_code == 2
    assert run_cli("plot", ".").exit_code == run_cli("plot", "").exit_code == 2
    assert_one_line_error(
        run_cli("plot", path, "--output", tmp_path / "none" / "o.png"), "there is no folder"
    )
    results = path.rename(tmp_path / "o.png")
    assert_one_line_error(run_cli("plot", results), "it is the input")
    assert results.read_bytes().startswith(b'{"source"')


def test_a_missing_matplotlib_is_named(tmp_path: Path) -> None:
    path = write_json_lines(tmp_path / "o.jsonl", frames_of_one_face())
    done = run_cli("plot", path, without=["matplotlib"])
    assert_one_line_error(done, "pip install 'tracker[plot]'")
