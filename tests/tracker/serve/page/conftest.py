"""A server, a browser and fresh pages for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser import Watch, chromium, wait_for, write_y4m
from tests.serving import serving
from tests.tracker.serve.page.film import FRAMES, film_frame

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

READY = "document.getElementById('version').innerText !== ''"


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    """Address of a server without a camera of its own."""
    with serving() as server:
        yield server.address


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium whose camera is the film."""
    film = tmp_path_factory.mktemp("camera") / "camera.y4m"
    with chromium(write_y4m(film, [film_frame(number) for number in range(FRAMES)])) as started:
        yield started


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A fresh page; at the end it must have had no errors, and asked nobody but the server."""
    with browser.new_context(viewport={"width": 1000, "height": 760}) as context:
        opened = context.new_page()
        watch = Watch.of(opened, address)
        opened.goto(address)
        wait_for(opened, READY)
        yield opened
        watch.assert_clean()
