from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.system.addresses import is_address, masked


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://camera/stream1", "rtsp://camera/stream1"),
        ("http://127.0.0.1:8080/video.mjpg", "http://127.0.0.1:8080/video.mjpg"),
        ("rtsp://admin:pass@10.0.0.2:554/h264", "rtsp://***@10.0.0.2:554/h264"),
        ("rtsp://admin@10.0.0.2/h264", "rtsp://***@10.0.0.2/h264"),
        ("rtsp://admin:p@ss:w@10.0.0.2/h264", "rtsp://***@10.0.0.2/h264"),
        ("rtsp://admin:p/ss?x@10.0.0.2/h264", "rtsp://***@10.0.0.2/h264"),
        ("HTTPS://h/a.m3u8?token=abc&x=1", "HTTPS://h/a.m3u8?***"),
        ("https://h/a.m3u8#secret", "https://h/a.m3u8#***"),
        ("https://h?k", "https://h?***"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        ("http://h:80/@name/live", "http://h:80/@name/live"),
        (
            "rtsp://h:554/user=admin&password=abc&channel=1.sdp",
            "rtsp://h:554/user=***&password=***&channel=1.sdp",
        ),
        ("http:/u:p@h/a?b", "http:/***@h/a?***"),  # as pathlib writes it
    ],
)
def test_secrets_are_masked_and_the_rest_stays(address: str, shown: str) -> None:
    assert masked(address) == shown
    assert masked(shown) == shown
    line = f"cannot open {address}: nothing comes from there, nor from '{address}'."
    assert masked(line) == f"cannot open {shown}: nothing comes from there, nor from '{shown}'."


@pytest.mark.parametrize(
    "text", ["clip.mp4", "C:\\films\\a.mp4", "C:/films/a@b?.mp4", "0", "a: b/c", "me@h", ""]
)
def test_other_text_stays(text: str) -> None:
    assert masked(text) == text
    assert not is_address(text)


def test_addresses_are_recognised_from_their_beginning() -> None:
    assert is_address("rtsp://h/x")
    assert is_address("http:/h/x")
    assert not is_address("see http://h/x")


_WORD = st.text("abcXYZ019%-._~!", min_size=1, max_size=12)


@given(user=_WORD, password=_WORD, query=_WORD, path=st.text("abc/", max_size=9))
def test_no_secret_of_a_well_formed_address_is_left(user: str, password: str, query: str, path: str) -> None:
    address = f"rtsp://{user}Q:{password}Q@host:554/{path}?{query}Q"
    parts = urlsplit(address)
    assert masked(address) == f"rtsp://***@host:554{parts.path}?***"
    assert "Q" not in masked(f"text {address} text")
