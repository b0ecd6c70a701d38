"""Addresses (URLs) in text: recognising them, and masking the secrets in them.

Messages, logs and results are kept and passed on; a camera's password in its address must not be.
"""

from __future__ import annotations

import re
from pathlib import Path

MASK = "***"

# One slash is enough: a path library makes one of two.
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/{1,2}[^\s'\"<>]+", re.IGNORECASE)
# Everything up to the last @ before the path; or, as people type passwords, up to one behind a slash.
_USER = re.compile(r"^(?:[^/?#]*@|[^/?#:]*:(?![0-9]+/)[^\s]*@)")
_SECRET = re.compile(
    r"((?:user(?:name)?|passw(?:or)?d|pass|pwd|token|key|auth|secret|signature)=)[^&/;]*", re.IGNORECASE
)


def is_address(text: str) -> bool:
    """Return whether ``text`` is an address with a scheme, such as ``rtsp://...``, and no file name."""
    return _ADDRESS.match(text) is not None


def is_elsewhere(name: str) -> bool:
    """Return whether ``name`` is an address, and there is no file of that name."""
    return is_address(name) and not Path(name).exists()


def with_lower_scheme(address: str) -> str:
    """Return ``address`` with its scheme in lower case (RFC 3986, 3.1), which libav wants."""
    scheme, mark, rest = address.partition("://")
    return scheme.lower() + mark + rest if mark else address


def masked(text: str) -> str:
    """Return ``text`` with the secrets of every address in it masked.

    These are user and password, the query and the fragment, and values in the path such as ``password=...``.
    The rest, which tells cameras apart, stays.
    """
    return _ADDRESS.sub(_mask_found, text)


def _mask_found(found: re.Match[str]) -> str:
    address = found[0].rstrip(".,:;)")  # the sentence's, not the address's
    return _masked_address(address) + found[0][len(address) :]


def _masked_address(address: str) -> str:
    scheme, slashes, rest = re.split(r"(:/{1,2})", address, maxsplit=1)
    rest = _USER.sub(f"{MASK}@", rest)
    place = re.split(r"[?#]", rest, maxsplit=1)[0]
    mark = rest[len(place) : len(place) + 1]  # of the query or the fragment
    shown = _SECRET.sub(lambda found: found[1] + MASK, place)
    return scheme + slashes + shown + (mark + MASK if mark else "")
