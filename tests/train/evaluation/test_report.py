import math
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from tests.tiny import write_300w
from train.evaluation.families import FAMILIES
from train.evaluation.label_box import label_box
from train.evaluation.material import Subject, gather
from train.evaluation.nose_pair import PAIR
from train.evaluation.predictions import Line
from train.evaluation.report import MOST_PHOTOGRAPHS, Contents, render
from train.evaluation.results import Condition, Evaluation
from train.models.load import Loaded, load_network
from train.models.registry import build

EVIL = """<script>alert("x")</script>&'"""


class Reader(HTMLParser):
    """Parser that collects tags with their attributes, and the text outside of style sheets."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "source"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


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
    torch.manual_seed(0)
    loaded = Loaded(build("unet-light").eval(), 96)
    faces = FAMILIES["unet-light"].read(tree)
    label_box = measured(tree, "label box")
    contents = Contents(
        "unet-light",
        EVIL,
        [label_box, measured(tree, "own detector")],
        log,
        np.random.default_rng(0).normal(size=(4, 3, 3)),
        gather(Subject("unet-light", tmp_path / "u.safetensors", tree, loaded), faces, label_box),
        tmp_path,
        {"a&b.png": Line((np.ones((68, 2)),)), EVIL: Line((), "cannot read " + EVIL)},
    )
    reader = read(page := render(contents))
    for expected in ("a&b.png: 1 face", "cannot read " + EVIL, "train/configs/unet_light.py", "494,801"):
        assert expected in reader.text
    sections = ["Accuracy", "Heatmaps", "Training curves", "Recipe", "Data", "Training samples"]
    sections += ["Architecture", "First layer", "Own pictures"]
    assert [text for text in reader.headings if not text.startswith("Best and worst")] == sections
    images = [attributes["src"] or "" for tag, attributes in reader.tags if tag == "img"]
    assert len(images) == 2 + 1 + 1 + 1  # errors and parts, training, filters, own picture
    embedded = [attributes["href"] or "" for tag, attributes in reader.tags if tag == "image"]
    assert len(embedded) == 2 * 2 * 6 + 2 * 3 * 4 + 2 * 2 + 2 * 3  # faces, maps, targets, samples
    assert all(re.match("data:image/(png|jpeg);base64,", source) for source in (*images, *embedded))
    assert not {tag for tag, _ in reader.tags} & {"script", "link", "iframe", "object", "base"}
    assert not re.search(r"https?:|//|url\(|@import", re.sub(r"base64,[^\"]*", "", page))


@pytest.mark.slow
def test_pictures_and_sections_can_be_read_without_seeing_them(tree: Path, tmp_path: Path) -> None:
    made = measured(tree, "own detector")
    faces = FAMILIES["resnet18"].read(tree)
    material = gather(Subject("resnet18", tmp_path / "r.safetensors", tree, None), faces, None)
    reader = read(render(Contents("resnet18", "as shipped", [made], material=material)))
    for tag, attributes in reader.tags:
        if tag == "img":
            assert attributes["alt"]
        if tag == "svg":
            assert attributes.get("aria-hidden") or (attributes["role"] == "img" and attributes["aria-label"])
    levels = [int(tag[1]) for tag, _ in reader.tags if tag in ("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(second - first <= 1 for first, second in pairwise(levels))
    assert {"header", "nav", "main"} <= {tag for tag, _ in reader.tags}


@pytest.mark.slow
def test_both_noses_are_in_the_report_of_either(tiny_imm: Path) -> None:
    """The table and the faces with both answers are the same, whichever network is evaluated."""
    shown = []
    for model in PAIR:
        loaded, faces = load_network(model), FAMILIES[model].read(tiny_imm)
        crops = FAMILIES[model].crops(faces, loaded.size, lambda: None)
        made = label_box(faces, loaded.network, crops)
        material = gather(Subject(model, None, tiny_imm, loaded), faces, made)
        page = render(Contents(model, "as shipped", [made], material=material))
        shown.append(page.partition('id="funnel-beside-fan"')[2].partition("<h2")[0])
    assert shown[0] == shown[1]
    for expected in ("nose-funnel (as shipped)", "nose-fan (as shipped)", "7, 5, 3", "381,460"):
        assert expected in shown[0]
    assert re.search(r"funnel \d+\.\d\d px, fan \d+\.\d\d px", shown[0])


def test_the_tables_name_every_subset_and_the_worst_faces_are_named(tree: Path) -> None:
    made = measured(tree, "own detector")
    text = read(render(Contents("resnet18", "as shipped", [made]))).text
    for expected in (
        "lfpw + helen",
        "AUC to 8 %, %",
        "mouth",
        "largest error",
        f"lfpw/{made.images[0].name}",
    ):
        assert expected in text
    for absent in ("Training curves", "First layer", "Own pictures", "Recipe"):
        assert absent not in text


def test_more_photographs_than_fit_are_counted(tree: Path, tmp_path: Path) -> None:
    own = {f"{i}.png": Line((), "damaged") for i in range(MOST_PHOTOGRAPHS + 3)}
    made = measured(tree, "own detector")
    text = read(render(Contents("resnet18", "x", [made], own_folder=Path(tmp_path), own=own))).text
    assert f"The first {MOST_PHOTOGRAPHS} of {MOST_PHOTOGRAPHS + 3}" in text
    assert f"{MOST_PHOTOGRAPHS - 1}.png" in text
    assert f"{MOST_PHOTOGRAPHS}.png" not in text
