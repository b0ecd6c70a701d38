"""Damaged files for property-based tests."""

from __future__ import annotations

from hypothesis import strategies as st

# fmt: off
_INSERTIONS = (
    b"", b"\x00", b"\n", b"\r\n", b"nan", b"inf", b"-1", b"1e999", b"9" * 400, b"1_0", b"{", b"}", b"[" * 50,
    b"null", b"true", b'"', b"'", b"<", b"&x;", b"]]>", b"\xff\xfe", b"\xed\xb3\xbf", b"\\ud800", b"../",
    b"/", b" ", b",", b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"68", "٣".encode(), b"\xff" * 8, b"#", b":",
)
# fmt: on


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Draw ``whole`` with a few bytes replaced, inserted or deleted, truncated, or partly repeated."""
    data = whole
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from((0, 1, 2, 7, 40)))
        kind = draw(st.sampled_from(("put", "cut", "twice", "put", "put")))
        if kind == "cut":
            data = data[:start]
        elif kind == "twice":
            data = data[: start + length] + data[start:]
        else:
            put = draw(st.sampled_from(_INSERTIONS) | st.binary(max_size=4))
            data = data[:start] + put + data[start + length :]
    return data
