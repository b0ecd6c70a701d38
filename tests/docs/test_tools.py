"""Commands behind the documentation: pictures, diagrams, and the check of the built site."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from docs.tools.check import complaints, main
from docs.tools.diagrams import DIAGRAMS, FOLDER
from docs.tools.links import public_names
from docs.tools.page import SLANT, halves, start_face
from docs.tools.pictures import FPS, SECONDS, SIZE, moving_frame, numbered_points
from tests.cache import Trackers
from tests.cli import REPO
from tests.schemes import mean_face
from tracker import SCHEMES


@pytest.mark.parametrize("name", list(DIAGRAMS))
def test_the_diagrams_are_those_that_the_command_draws(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == DIAGRAMS[name]()


def test_the_portrait_blinks_and_speaks_in_a_motion_which_ends_where_it_began(trackers: Trackers) -> None:
    start, closed, speaking, end = (moving_frame(index) for index in (0, 32, 71, FPS * SECONDS))
    assert start.image_bgr.shape == (SIZE[1], SIZE[0], 3)
    np.testing.assert_array_equal(start.image_bgr, end.image_bgr)
    tracker = trackers.opened()
    still, shut, word = (tracker.find(frame).faces[0].measures for frame in (start, closed, speaking))
    assert max(map(_known, shut.eye_open)) < 0.8 * min(map(_known, still.eye_open))
    assert _known(word.mouth_open) > 1.15 * _known(still.mouth_open)


def _known(measure: float | None) -> float:
    assert measure is not None
    return measure


def test_every_point_has_its_number_beside_it() -> None:
    rng = np.random.default_rng(0)
    drawn = numbered_points(rng.uniform(0, 100, (68, 2)))
    dots = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawn)
    numbers = re.findall(r'<text x="([\d.-]+)" y="([\d.-]+)" fill="[^"]*">(\d+)</text>', drawn)
    assert [int(number) for _, _, number in numbers] == list(range(68))
    apart = np.array([[float(x), float(y) - 4] for x, y, _ in numbers]) - np.array(dots, float)
    np.testing.assert_allclose(np.linalg.norm(apart, axis=1), 13, atol=0.2)


def test_the_committed_points_are_numbered_once() -> None:
    drawn = (FOLDER / "points.svg").read_text(encoding="utf-8")
    assert re.findall(r">(\d+)</text>", drawn) == [str(number) for number in range(68)]


@pytest.mark.parametrize("name", ["imm58", "wflw98", "jd106"])
def test_the_committed_points_of_other_schemes_are_those_that_the_command_draws(name: str) -> None:
    drawn = (FOLDER / f"points-{name}.svg").read_text(encoding="utf-8")
    assert drawn == numbered_points(mean_face(SCHEMES[name]), SCHEMES[name])
    assert re.findall(r">(\d+)</text>", drawn) == [str(i) for i in range(SCHEMES[name].n_points)]


def test_the_face_on_the_start_of_the_page_is_the_one_that_is_numbered() -> None:
    lines, dots = start_face()
    assert (dots.count("M"), lines.count("L")) == (68, len(SCHEMES["ibug68"].edges))
    page = (REPO / "tracker" / "serve" / "page" / "index.html").read_text(encoding="utf-8")
    assert f'class="lines" d="{lines}"' in page
    assert f'd="{dots}"' in page


def test_the_halves_of_the_page_meet_along_a_slanted_line() -> None:
    light, dark = np.full((40, 100, 3), 250, np.uint8), np.full((40, 100, 3), 10, np.uint8)
    joined = halves(light, dark)
    for row, share in ((0, SLANT[0]), (39, SLANT[1])):
        assert (joined[row, : int(100 * share) - 2] == 250).all()
        assert (joined[row, int(100 * share) + 2 :] == 10).all()


def _site(folder: Path, body: str) -> Path:
    anchors = "".join(f'<h2 id="tracker.{name}"></h2>' for name in public_names())
    (folder / "index.html").write_text(f"<html><body>{anchors}{body}</body></html>", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "body",
    [
        '<script src="https://example.org/x.js"></script>',
        '<img src="//example.org/x.png">',
        '<link rel="stylesheet" href="https://example.org/x.css">',
    ],
)
def test_what_a_page_loads_from_elsewhere_is_told(tmp_path: Path, body: str) -> None:
    (line,) = complaints(_site(tmp_path, body))
    assert "index.html loads" in line
    assert "example.org" in line


def test_links_that_a_reader_follows_are_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(_site(tmp_path, '<a href="https://example.org">x</a><img src="x.png">')) == 0
    assert capsys.readouterr().err == ""


def test_styles_and_scripts_are_searched_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = _site(tmp_path, "")
    (site / "a.css").write_text("@import url('https://fonts.example.org/a');", encoding="utf-8")
    (site / "a.js").write_text('load("https://unpkg.com/x@1/y.js")', encoding="utf-8")
    assert main(site) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_public_name_without_a_description_is_told(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<html></html>", encoding="utf-8")
    assert "the reference does not describe tracker.open_tracker" in list(complaints(tmp_path))
