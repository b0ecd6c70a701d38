import math
import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.tiny import write_300w
from train.evaluation.families import FAMILIES
from train.evaluation.pictures import Tile
from train.evaluation.predictions import Line
from train.evaluation.report import MOST_PHOTOGRAPHS, Contents, render
from train.evaluation.results import Condition, Evaluation

EVIL = """<script>alert("x")</script>&'"""


class Reader(HTMLParser):
    """Parser that collects tags with their attributes, and the text outside of style sheets."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_300w(tmp_path_factory.mktemp("tree"), train=1)


def measured(tree: Path, condition: Condition) -> Evaluation:
    faces = FAMILIES["resnet18"].read(tree)
    predicted = faces.truth + 1.0
    predicted[0] = math.nan
    return faces.evaluated(condition, predicted)


@pytest.mark.slow
def test_a_full_report_is_complete_and_self_contained(tree: Path, tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "a&b.png"), np.zeros((30, 40), np.uint8))
    log = {"epoch": np.array([1.0, 2]), "loss": np.array([2.0, 1])}
    contents = Contents(
        "resnet18",
        EVIL,
        [measured(tree, "label box"), measured(tree, "own detector")],
        log,
        np.random.default_rng(0).normal(size=(4, 3, 3)),
        [Tile(np.zeros((8, 8), np.uint8), "face")],
        tmp_path,
        {"a&b.png": Line((np.ones((68, 2)),)), EVIL: Line((), "cannot read " + EVIL)},
    )
    reader = read(page := render(contents))
    for expected in ("Training", "First layer", "Training samples", "a&b.png: 1 face", "cannot read " + EVIL):
        assert expected in reader.text
    pictures = [attributes["src"] or "" for tag, attributes in reader.tags if tag == "img"]
    assert len(pictures) == 2 + 1 + 4 + 1 + 1 + 1
    assert all(source.startswith("data:image/png;base64,iVBORw0KGgo") for source in pictures)
    assert not {tag for tag, _ in reader.tags} & {"script", "link", "iframe", "object", "base"}
    assert not re.search(r"https?:|//|url\(|@import", re.sub(r"base64,[^\"]*", "", page))


def test_the_tables_name_every_subset_and_the_worst_faces_are_named(tree: Path) -> None:
    made = measured(tree, "own detector")
    text = read(render(Contents("resnet18", "as shipped", [made]))).text
    for expected in ("lfpw + helen", "AUC@8 %", "mouth", "Worst first", f"lfpw/{made.images[0].name}"):
        assert expected in text
    for absent in ("Training", "First layer", "Own pictures"):
        assert absent not in text


def test_more_photographs_than_fit_are_counted(tree: Path, tmp_path: Path) -> None:
    own = {f"{i}.png": Line((), "damaged") for i in range(MOST_PHOTOGRAPHS + 3)}
    made = measured(tree, "own detector")
    text = read(render(Contents("resnet18", "x", [made], own_folder=Path(tmp_path), own=own))).text
    assert f"The first {MOST_PHOTOGRAPHS} of {MOST_PHOTOGRAPHS + 3}" in text
    assert f"{MOST_PHOTOGRAPHS - 1}.png" in text
    assert f"{MOST_PHOTOGRAPHS}.png" not in text
