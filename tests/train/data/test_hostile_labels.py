"""Readers return faces or raise a DataError for any content of a label file, and raise nothing else."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import damaged
from tests.shapes import face_points
from tests.strategies import examples
from tests.train.data.test_asf import write_shot
from tests.train.data.test_dlib_xml import write_xml
from tests.train.data.test_wflw import line
from tests.train.data.test_youtube import write_csv
from train.data import readers
from train.data.image_size import image_size
from train.errors import DataError
from train.evaluation.predictions import read_lines
from train.studies.pseudo_labels import read_labels

FACE = face_points((50, 40), 60)


def labels(folder: Path) -> dict[str, tuple[Path, Callable[[Path], object]]]:
    """Write an undamaged file of each format below ``folder``; return each with its reader."""
    image = folder / "a.png"
    assert cv2.imwrite(str(image), np.zeros((80, 100), np.uint8))
    readers.write_pts(folder / "a.pts", FACE)
    write_shot(folder)
    xml = write_xml(folder, [("a.png", FACE)])
    csv, csv_images = write_csv(folder)
    (folder / "w.txt").write_text(line("a.png", FACE) + "\n")
    record = {"image": "a.png", "presence": 0.9, "spread_percent": 1.0, "landmarks": FACE.tolist()}
    (folder / "p.jsonl").write_text(json.dumps(record) + "\n")
    (folder / "o.jsonl").write_text(
        json.dumps({"source": "a.png", "faces": [{"landmarks": FACE.tolist()}]}) + "\n"
    )
    return {
        "pts": (folder / "a.pts", readers.read_pts),
        "asf": (folder / "07-3m.asf", readers.read_asf),
        "xml": (xml, lambda path: readers.read_dlib_xml(path, "x")),
        "csv": (csv, lambda path: readers.read_youtube_csv(path, csv_images)),
        "wflw": (folder / "w.txt", lambda path: readers.read_wflw_list(path, folder)),
        "pseudo": (folder / "p.jsonl", lambda path: read_labels(path, folder, 1.0)),
        "predictions": (folder / "o.jsonl", read_lines),
        "header": (image, image_size),
    }


NAMES = ("pts", "asf", "xml", "csv", "wflw", "pseudo", "predictions", "header")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Callable[[Path], object]]]:
    return labels(tmp_path_factory.mktemp("labels"))


@pytest.mark.parametrize("name", NAMES)
def test_an_undamaged_file_is_read(made: dict[str, tuple[Path, Callable[[Path], object]]], name: str) -> None:
    path, read = made[name]
    read(path)


def read_or_refused(path: Path, read: Callable[[Path], object], content: bytes) -> None:
    whole = path.read_bytes()
    try:
        path.write_bytes(content)
        with suppress(DataError):
            read(path)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("name", NAMES)
@examples(100)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(
    made: dict[str, tuple[Path, Callable[[Path], object]]], name: str, data: st.DataObject
) -> None:
    path, read = made[name]
    read_or_refused(path, read, data.draw(damaged(path.read_bytes())))


@pytest.mark.parametrize("name", NAMES)
@examples(25)
@given(content=st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(
    made: dict[str, tuple[Path, Callable[[Path], object]]], name: str, content: bytes
) -> None:
    read_or_refused(*made[name], content)


def test_numbers_beyond_the_float_range_are_refused(
    made: dict[str, tuple[Path, Callable[[Path], object]]],
) -> None:
    for name in ("pseudo", "predictions"):
        path, read = made[name]
        whole = path.read_text()
        with pytest.raises(DataError, match="landmarks must be 68 points"):
            path.write_text(whole.replace("20.0", "9" * 400, 1))
            read(path)
        path.write_text(whole)


@pytest.mark.parametrize("written", ["1_0", "\u0663", "\uff13.5", "nan", "infinity", "1e999", "0x10", ""])
@pytest.mark.parametrize("name", ["pts", "asf", "xml", "csv", "wflw"])
def test_only_plain_decimal_numbers_are_coordinates(
    made: dict[str, tuple[Path, Callable[[Path], object]]], name: str, written: str
) -> None:
    path, read = made[name]
    whole = path.read_bytes()
    number = re.compile(rb"""(?<=[\t ,'"])[0-9]+\.[0-9]{2,}(?=[\t ,'"\n])""")
    try:
        path.write_bytes(number.sub(written.encode(), whole, count=1))
        with pytest.raises(DataError, match=path.name + r":\d+: expected"):
            read(path)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("written", ['"20.0"', '"2_0"', "NaN", "Infinity", "true", "null"])
@pytest.mark.parametrize("name", ["pseudo", "predictions"])
def test_only_numbers_of_json_are_coordinates(
    made: dict[str, tuple[Path, Callable[[Path], object]]], name: str, written: str
) -> None:
    path, read = made[name]
    whole = path.read_text("utf-8")
    try:
        path.write_text(whole.replace("20.0", written, 1), "utf-8")
        with pytest.raises(DataError, match=r":1: .*landmarks must be 68 points"):
            read(path)
    finally:
        path.write_text(whole, "utf-8")


@pytest.mark.parametrize("elsewhere", ["../secret.png", "/etc/hostname", "sub/../../secret.png"])
def test_images_outside_the_label_folder_are_refused(tmp_path: Path, elsewhere: str) -> None:
    inside = tmp_path / "labels"
    (inside / "sub").mkdir(parents=True)
    made = labels(inside)
    (tmp_path / "secret.png").write_bytes((inside / "a.png").read_bytes())
    for name, old in (("asf", "07-3m.jpg"), ("wflw", "a.png"), ("pseudo", "a.png")):
        path, read = made[name]
        path.write_text(path.read_text().replace(old, elsewhere))
        with pytest.raises(DataError, match=r"outside|does not lie in"):
            read(path)
    path, read = made["csv"]
    path.write_text(path.read_text().replace("Al_31.jpg", "../Al_31.jpg"))
    (inside / "Al_31.jpg").write_bytes((inside / "training" / "Al_31.jpg").read_bytes())
    with pytest.raises(DataError, match="does not lie in"):
        read(path)
