from html.parser import HTMLParser

from tests.train.evaluation.examples import evaluation
from train.evaluation.html import Page

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


def test_all_text_on_a_page_is_escaped() -> None:
    page = Page(EVIL, EVIL)
    page.heading(EVIL)
    page.text(EVIL)
    page.table(EVIL, [EVIL, "b"], [[EVIL, "1"]])
    reader = read(page.render())
    assert "script" not in {tag for tag, _ in reader.tags}
    assert reader.text.count(EVIL) == 8  # the title twice


def test_captions_are_escaped() -> None:
    page = Page("t", "l")
    from train.evaluation.figures import error_curves

    page.figure(error_curves([evaluation({"lfpw": [1]})]), EVIL)
    ((_, attributes),) = [found for found in read(page.render()).tags if found[0] == "img"]
    assert attributes["alt"] == EVIL
