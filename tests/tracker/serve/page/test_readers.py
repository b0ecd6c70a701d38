"""The page by keyboard and by ear: where the focus goes, and what a screen reader is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.browser import drop, wait_for, wait_for_frames
from tests.portraits import portrait

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.browser]

TOLD = "document.querySelector('[aria-live=polite]').innerText"


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def test_the_focus_goes_on_beside_the_picture(page: Page) -> None:
    page.focus("#start")
    page.keyboard.press("Enter")
    wait_for_frames(page, 1)
    assert focused(page) == "freeze"
    page.focus("#stop")
    page.keyboard.press("Enter")
    assert focused(page) == "start"


def test_escape_closes_a_problem_and_a_command_in_it_is_set_as_such(page: Page) -> None:
    page.evaluate("navigator.mediaDevices.getUserMedia = undefined")
    page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.click("#start")
    wait_for(page, "!document.getElementById('problem').hidden")
    assert focused(page) == "problem-retry"
    assert page.locator("#problem code").all_inner_texts()[1].startswith("ssh -L ")
    page.keyboard.press("Escape")
    assert page.is_hidden("#problem")
    assert focused(page) == "start"


def test_a_page_that_cannot_begin_offers_another_try_and_nothing_else(page: Page) -> None:
    page.route("**/api/info", lambda route: route.fulfill(status=200, body="[]"))
    page.reload()
    wait_for(page, "!document.getElementById('problem').hidden")
    assert page.is_hidden("#problem-close")
    page.keyboard.press("Escape")
    assert page.is_visible("#problem")
    page.unroute("**/api/info")
    page.click("#problem-retry")
    wait_for(page, "document.getElementById('version').innerText !== ''")


def test_a_reader_is_told_what_happens_but_not_every_figure(page: Page, tmp_path: Path) -> None:
    drop(page, _written(tmp_path / "face.png", portrait()), "image/png")
    wait_for(page, f"{TOLD}.includes('Faces in the picture: 1')")
    drop(page, _written(tmp_path / "none.png", np.zeros((90, 120, 3), np.uint8)), "image/png")
    wait_for(page, f"{TOLD}.includes('no face found')")
    page.keyboard.press("p")
    assert "drawing: points, corners" in page.evaluate(TOLD)
    page.keyboard.press("c")
    wait_for_frames(page, 10)
    page.click("#freeze")
    assert "frozen" in page.evaluate(TOLD)
    live = "#badge, #faces, #chart-pose, #results-text, #face-text"
    closest = "[aria-live], [role=status], [role=alert], [role=log], output"
    assert (
        page.evaluate(f"[...document.querySelectorAll('{live}')].some((e) => e.closest('{closest}'))")
        is False
    )


def test_the_parts_of_the_page_have_names(page: Page) -> None:
    page.click("#start")
    wait_for_frames(page, 5)
    page.click("#freeze")
    tree = page.locator("body").aria_snapshot()
    for part in (
        'heading "tracker',
        'navigation "Source"',
        'region "Picture"',
        'region "Faces"',
        'region "Settings"',
        'region "Results"',
        'img "Picture with 1 face"',
        'button "Face 1" [pressed]',
        'combobox "Model"',
        'group "Draw"',
    ):
        assert part in tree
    page.click("#help-button")
    assert 'dialog "Keys"' in page.locator("body").aria_snapshot()
    assert focused(page) == "help-title"


def test_nothing_moves_by_itself_for_those_who_want_that(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    moving = """[...document.querySelectorAll("*")].filter((element) => {
      const { transitionDuration, animationName } = getComputedStyle(element);
      return animationName !== "none" || parseFloat(transitionDuration) > 0;
    }).length"""
    assert page.evaluate(moving) == 0


def _written(path: Path, image: np.ndarray) -> Path:
    cv2.imwrite(str(path), image)
    return path
