"""The page for people who are not let in: their remedy in words, nothing of the request as markup."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tracker.serve.test_guard import OPEN, answered, scope
from tracker.serve.guard import Guard
from tracker.serve.refusal_page import refusal_page

ACCEPT = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8")


async def _nothing(*_: Any) -> None:
    pytest.fail("a refused request comes through")


def refused(*headers: tuple[str, str], path: str) -> tuple[int, dict[str, str]]:
    """Return status and headers of the answer to a request without the token."""
    return answered(Guard(_nothing, OPEN, pytest.fail), scope(*headers, path=path))


def test_a_browser_gets_a_page_with_the_headers_of_every_answer() -> None:
    status, headers = refused(ACCEPT, path="/")
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("headers", "path"), [((), "/"), ((("accept", "*/*"),), "/"), ((ACCEPT,), "/api/info")]
)
def test_programs_get_json(headers: tuple[tuple[str, str], ...], path: str) -> None:
    status, given = refused(*headers, path=path)
    assert (status, given["content-type"]) == (401, "application/json")


def test_the_reason_is_a_sentence_and_no_markup() -> None:
    text = bytes(refusal_page(403, "'<b>&' is no name", None).body).decode()
    assert "<p>&#x27;&lt;b&gt;&amp;&#x27; is no name.</p>" in text
    assert "<p>A token is needed.</p>" in bytes(refusal_page(401, "a token is needed", {}).body).decode()
