"""Use of the page: keyboard, settings, and results to download."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import pytest

from tests.browser import downloaded, drop, saved_lines, wait_for, wait_for_frames
from tests.portraits import portrait
from tracker.sinks.json_lines import read_results

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Page) -> None:
    page.click("#start")
    wait_for_frames(page, 3)
    page.mouse.click(2, 2)
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        place = page.evaluate(
            """() => {
              const element = document.activeElement;
              const style = getComputedStyle(element);
              const outline = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
              return [element.id || element.value || element.closest("#faces")?.id, outline];
            }"""
        )
        if place[0] is None:
            break
        seen.append(place)
    assert [name for name, outlined in seen if not outlined] == []
    wanted = {"use-camera", "use-file", "help-button", "freeze", "mirror", "drawing", "snapshot", "stop"}
    wanted |= {"model", "smoothing", "camera", "size", "points", "mesh", "save-json", "save-csv", "faces"}
    assert wanted <= {name for name, _ in seen}


def test_keys_do_what_the_help_says(page: Page) -> None:
    page.keyboard.press("?")
    assert page.evaluate("document.getElementById('help').open")
    assert "save the picture with its points" in page.inner_text("#keys")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    wait_for_frames(page, 3)
    page.keyboard.press("m")
    assert page.get_attribute("#mirror", "aria-pressed") == "false"
    page.keyboard.press("p")
    assert not page.is_checked("input[value=lines]")
    page.keyboard.press(" ")
    wait_for(page, "document.getElementById('state').innerText === 'frozen'")
    page.keyboard.press(" ")
    wait_for(page, "document.getElementById('state').hidden")
    with page.expect_download() as started:
        page.keyboard.press("s")
    assert started.value.suggested_filename.endswith(".png")
    page.keyboard.press("q")
    assert page.is_visible("#empty")
    page.keyboard.press("?")
    page.uncheck("#use-keys")
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    assert page.get_attribute("#mirror", "aria-pressed") == "false"


def test_a_refusal_of_full_screen_is_said(page: Page) -> None:
    denial = "() => Promise.reject(new TypeError('denied'))"
    page.evaluate(f"void (Element.prototype.requestFullscreen = {denial})")
    page.keyboard.press("f")
    wait_for(page, "document.getElementById('note').innerText === 'the browser refuses full screen'")


def test_the_number_of_results_is_that_of_what_is_shown(page: Page, tmp_path: Path) -> None:
    page.click("#start")
    wait_for_frames(page, 3)
    page.click("#freeze")
    lines = saved_lines(page, tmp_path)
    wait_for(page, f"document.getElementById('results-text').innerText === '{len(lines)} frames'")
    cv2.imwrite(str(tmp_path / "face.png"), portrait())
    drop(page, tmp_path / "face.png", "image/png")
    wait_for(page, "document.getElementById('results-text').innerText === '1 frame'")


def test_choices_of_the_look_are_kept(page: Page) -> None:
    page.check("input[value=mesh]")
    page.select_option("#size", "1280x720")
    page.reload()
    wait_for(page, "document.querySelector('input[value=mesh]').checked")
    assert page.input_value("#size") == "1280x720"


def test_another_model_goes_on_with_new_ids(page: Page, tmp_path: Path) -> None:
    page.click("#start")
    wait_for_frames(page, 5)
    page.select_option("#model", "resnet18")
    wait_for(page, "document.getElementById('badge-model').innerText === 'resnet18'")
    wait_for(page, "document.getElementById('face-text').innerText.includes('score')")
    page.wait_for_timeout(1500)
    page.click("#freeze")
    lines = saved_lines(page, tmp_path)
    ids = [face["id"] for line in lines for face in line["faces"]]
    assert ids == sorted(ids)
    assert len(set(ids)) == 2
    assert [line["frame"] for line in lines] == list(range(len(lines)))


def test_results_are_read_by_the_tracker(page: Page, tmp_path: Path) -> None:
    page.click("#start")
    wait_for_frames(page, 10)
    page.click("#freeze")
    results = read_results(downloaded(page, "#save-json", tmp_path))
    assert len(results.lines) >= 10
    assert results.cut_off is None
    page.click("#clear-results")
    assert page.is_disabled("#save-json")
