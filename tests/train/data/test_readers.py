"""Behaviour that all readers share: the faces that they return, and the errors for invalid files."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import examples
from tests.tiny import face_points, write_face
from tests.train.data.test_asf import write_shot
from tests.train.data.test_dlib_xml import write_xml
from tests.train.data.test_wflw import line
from tests.train.data.test_youtube import write_csv
from tracker.types import FloatArray
from train.data import readers
from train.data.readers import (
    LabelledFace,
    read_asf,
    read_dlib_xml,
    read_pts_folder,
    read_wflw_list,
    read_youtube_csv,
)
from train.errors import DataError


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((5, 2)),
        np.full((68, 2), np.nan),
        np.tile([3.0, 4.0], (68, 1)),
        np.zeros((68, 2)),
        face_points() * 1e300,
    ],
)
def test_a_face_with_invalid_points_is_refused(tmp_path: Path, points: FloatArray) -> None:
    with pytest.raises(DataError, match=r"a\.jpg"):
        LabelledFace(tmp_path / "a.jpg", points, "afw")


def test_the_public_names_are_there() -> None:
    assert all(hasattr(readers, name) for name in readers.__all__)


@dataclass(frozen=True)
class Layout:
    """A valid label file and its reader."""

    path: Path
    valid: bytes
    read: Callable[[], object]


def make_layout(kind: str, folder: Path) -> Layout:
    folder.mkdir(exist_ok=True)
    if kind == "asf":
        path = write_shot(folder)
        return Layout(path, path.read_bytes(), partial(read_asf, path))
    if kind == "youtube":
        path, images = write_csv(folder)
        return Layout(path, path.read_bytes(), partial(read_youtube_csv, path, images))
    path = write_face(folder, "a", face_points()).image.with_suffix(".pts")
    if kind == "pts":
        return Layout(path, path.read_bytes(), partial(read_pts_folder, folder, "x"))
    if kind == "dlib_xml":
        path = write_xml(folder, [("a.jpg", face_points())])
        return Layout(path, path.read_bytes(), partial(read_dlib_xml, path, "x"))
    path = folder / "list.txt"
    path.write_text(line("a.jpg", face_points()))
    return Layout(path, path.read_bytes(), partial(read_wflw_list, path, folder))


@pytest.fixture(scope="module", params=["pts", "dlib_xml", "asf", "youtube", "wflw"])
def layout(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return make_layout(request.param, tmp_path_factory.mktemp(request.param))


def reads_or_refuses(layout: Layout, content: bytes) -> None:
    layout.path.write_bytes(content)
    message = refusal(layout)
    if message is not None:
        assert str(layout.path.parent) in message
        assert "\n" not in message


def refusal(layout: Layout) -> str | None:
    try:
        layout.read()
    except DataError as error:
        return str(error)
    return None


def test_valid_files_are_read(layout: Layout) -> None:
    layout.path.write_bytes(layout.valid)
    layout.read()


@given(
    content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8")))
)
def test_random_content_is_read_or_refused_as_data(layout: Layout, content: bytes) -> None:
    reads_or_refuses(layout, content)


@given(data=st.data())
def test_truncated_files_are_read_or_refused_as_data(layout: Layout, data: st.DataObject) -> None:
    reads_or_refuses(layout, layout.valid[: data.draw(st.integers(0, len(layout.valid)))])


NASTY = st.sampled_from(
    [
        *(
            b"\0",
            b"\xff\xfe",
            b"\xed\xa0\x80",
            b"\xef\xbb\xbf",
            b"\x85",
            b"\xe2\x80\xa8",
            b"\x0c",
            b"\r",
            b"\n",
        ),
        *(b"nan", b"inf", b"-inf", b"1e308", b"-1e308", b"1e999", b"1e-320", b"9" * 5000, b"1_0", b"0x1p3"),
        *(b"{", b"}", b"#", b",", b'"', b"'", b"<", b">", b"&", b"&#0;", b"&#10;", b"&x;", b"]]>", b"<!--"),
        *(b"../", b"/dev/null", b"a" * 5000, b" ", b"\t", b"-", b"n_points: 1e9"),
    ]
)


@examples(200)
@given(data=st.data())
def test_valid_files_with_bytes_replaced_are_read_or_refused_as_data(
    layout: Layout, data: st.DataObject
) -> None:
    content = layout.valid
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        stop = min(start + data.draw(st.integers(0, 30)), len(content))
        content = content[:start] + data.draw(st.one_of(NASTY, st.binary(max_size=8))) + content[stop:]
    reads_or_refuses(layout, content)


@examples(200)
@given(data=st.data())
def test_valid_files_with_words_and_lines_exchanged_are_read_or_refused_as_data(
    layout: Layout, data: st.DataObject
) -> None:
    separator = data.draw(st.sampled_from([b"\n", b" ", b",", b"'"]))
    words = layout.valid.split(separator)
    position = st.integers(0, len(words) - 1)
    for _ in range(data.draw(st.integers(1, 3))):
        words[data.draw(position)] = data.draw(st.one_of(NASTY, st.sampled_from(words)))
    reads_or_refuses(layout, separator.join(words))
