"""Page for browsers whose request is refused; programs get JSON."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping

from starlette.responses import HTMLResponse
from starlette.types import Scope

_STYLE = (
    ":root{color-scheme:light dark;font:1.1rem/1.5 system-ui,sans-serif}"
    "main{max-width:34rem;margin:18vh auto;padding:0 1.5rem;overflow-wrap:anywhere}"
    "h1{font-size:1.3rem}"
)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>tracker</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<style>{style}</style>
<main>
<h1>tracker</h1>
<p>{why}</p>
</main>
</html>
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_CSP = (
    f"default-src 'none'; img-src data:; style-src 'sha256-{_DIGEST}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def wants_page(scope: Scope) -> bool:
    """Return whether a request is that of a browser for something to show."""
    accepted = [value for name, value in scope["headers"] if name.lower() == b"accept"]
    return any(b"text/html" in value for value in accepted) and not scope["path"].startswith("/api/")


def refusal_page(status: int, why: str, headers: Mapping[str, str] | None) -> HTMLResponse:
    """Return a page that says ``why`` a request is refused. It needs no other file of the server."""
    sentence = html.escape(f"{why[:1].upper()}{why[1:]}.")
    return HTMLResponse(
        _PAGE.format(style=_STYLE, why=sentence),
        status,
        {**(headers or {}), "Content-Security-Policy": _CSP},
    )
