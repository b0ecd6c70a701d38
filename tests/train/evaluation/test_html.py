from html.parser import HTMLParser

import numpy as np

from tests.tiny import face_points
from tests.train.evaluation.examples import evaluation
from train.evaluation.figures import error_curves
from train.evaluation.html import Page
from train.evaluation.tiles import Item, Marks, Tile, swatch

EVIL = """<script>alert("x")</script>&'"""
TILE = Tile(np.zeros((8, 8), np.uint8), "<b>", (Marks(face_points((4, 4), 6), "label"),))
RIGHT = ["number", "number", None, "number"]


class Reader(HTMLParser):
    """Parser that collects tags with their attributes, and the text outside of style sheets."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "source"):
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


def test_all_text_on_a_page_is_escaped() -> None:
    page = Page(EVIL, EVIL)
    page.heading(EVIL)
    page.subheading(EVIL)
    page.text(EVIL)
    page.folded(EVIL, EVIL)
    page.table(EVIL, [EVIL, "b"], [[EVIL, "1"]])
    page.settings({EVIL: {EVIL: EVIL}})
    page.gallery([Item((TILE,), EVIL)], {EVIL: "label"})
    reader = read(page.render())
    assert "script" not in {tag for tag, _ in reader.tags}
    # Title twice, lead, heading and its link, subheading, text, folded 2, table 3, settings 3, gallery 2.
    assert reader.text.count(EVIL) == 2 + 1 + 2 + 1 + 1 + 2 + 3 + 3 + 2


def test_captions_and_descriptions_are_escaped() -> None:
    page = Page("t", "l")
    page.plot(lambda: error_curves({"a": evaluation({"lfpw": [1]})}), EVIL, EVIL)
    page.figure(error_curves({"a": evaluation({"lfpw": [1]})}), EVIL)
    images = [found[1] for found in read(page.render()).tags if found[0] == "img"]
    assert [attributes["alt"] for attributes in images] == [EVIL, EVIL]


def test_plots_follow_the_readers_light_or_dark_setting() -> None:
    page = Page("t", "l")
    page.plot(lambda: error_curves({"a": evaluation({"lfpw": [1]})}), "curves", "c")
    tags = dict(read(page.render()).tags)
    assert tags["source"]["media"] == "(prefers-color-scheme: dark)"
    assert (tags["source"]["srcset"] or "").startswith("data:image/png;base64,iVBORw0KGgo")
    assert tags["source"]["srcset"] != tags["img"]["src"]
    assert "color-scheme: light dark" in page.render()


def test_sections_are_linked_from_the_top_and_have_names_of_their_own() -> None:
    page = Page("t", "l")
    for text in ("Best faces: own", "Best faces, own", "?", "?"):
        page.heading(text)
    reader = read(page.render())
    places = [attributes["id"] for tag, attributes in reader.tags if tag == "h2"]
    links = [(attributes["href"] or "")[1:] for tag, attributes in reader.tags if tag == "a"]
    assert places == links
    assert len(set(places)) == 4


def test_columns_of_numbers_are_to_the_right_and_cells_say_what_they_are() -> None:
    page = Page("t", "l")
    rows = [["a", "1,234", "1.5 to 2.5", "3x3", "-"], ["b", "-0.5", "-", "7", ""]]
    page.table("c", ["name", "n", "interval", "size", "missing"], rows, total=True)
    tags = read(page.render()).tags
    assert [attributes.get("class") for tag, attributes in tags if tag == "td"] == [*RIGHT, *RIGHT]
    assert [attributes["scope"] for tag, attributes in tags if tag == "th"] == ["col"] * 5 + ["row"] * 2
    assert ("table", {"class": "total"}) in tags
    frame = next(attributes for tag, attributes in tags if attributes.get("class") == "wide")
    assert (frame["role"], frame["tabindex"], frame["aria-label"]) == ("region", "0", "c")


def test_a_legend_shows_shapes_for_single_points() -> None:
    single = Tile(np.zeros((4, 4), np.uint8), "", (Marks(np.ones((1, 2)), "label"),))
    pages = []
    for tile in (single, TILE):
        page = Page("t", "l")
        page.gallery([Item((tile, tile), "c")], {"label": "label"})
        pages.append(page.render())
    assert all("gallery of-2" in page for page in pages)
    assert swatch("label", single=True) in pages[0]
    assert swatch("label", single=False) in pages[1]
