"""Body of a request: a picture as it is, checked by what the headers say before it is read."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from tracker.serve.settings import Limits

# What curl sends with --data-binary, unless it is told otherwise, is the second one.
_PICTURE_TYPES = ("application/octet-stream", "application/x-www-form-urlencoded")
_DISCARD_S = 2.0


async def body_length(request: Request, limits: Limits) -> int:
    """Return the bytes of the picture that ``request`` announces.

    Raises starlette's ``HTTPException``: 415 for a type that is none of a picture, 411 without a length, 413
    if it is too long, and 400 if it is empty.
    """
    kind = request.headers.get("content-type", _PICTURE_TYPES[0]).partition(";")[0].strip().lower()
    if not (kind.startswith("image/") or kind in _PICTURE_TYPES):
        raise HTTPException(415, f"the body is the picture itself, such as image/jpeg, got {kind[:50]!r}")
    length = request.headers.get("content-length")
    if length is None or "transfer-encoding" in request.headers:  # which says more than the length (RFC 9112)
        raise HTTPException(
            411,
            "the length of the picture is needed in advance: send Content-Length, and no Transfer-Encoding",
        )
    if int(length) > limits.picture_bytes:
        if "expect" not in request.headers:  # whoever expects an answer first has not begun to send
            await _discard(request)
        raise HTTPException(
            413, f"the picture is larger than {limits.picture_bytes >> 20} MiB: make it smaller"
        )
    if not int(length):
        raise HTTPException(400, "the body is empty: send the picture itself")
    return int(length)


async def read_body(request: Request, limits: Limits) -> bytes:
    """Return the body of ``request``; ``HTTPException`` 408 if it does not arrive in time."""
    try:
        return await asyncio.wait_for(request.body(), limits.body_s)
    except TimeoutError:
        raise HTTPException(408, f"the picture did not arrive within {limits.body_s:g} s") from None


async def _discard(request: Request) -> None:
    """Read what a client sends for a while: many read the answer only after that."""

    async def read() -> None:
        async for _ in request.stream():
            pass

    with suppress(ClientDisconnect, TimeoutError):
        await asyncio.wait_for(read(), _DISCARD_S)
