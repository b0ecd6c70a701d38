"""Links and pictures of the texts, and the README's length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.tools.links import (
    ELSEWHERE,
    FENCE,
    LINK,
    LINKS,
    PAGES,
    docstring_markdown,
    page_markdown,
    public_names,
)
from tests.cli import REPO

TEXTS = [REPO / "README.md", *sorted((REPO / "docs").glob("*.md")), *(REPO / path for path in PAGES)]
README_WORDS = 1200


def anchors(path: Path) -> set[str]:
    """Return the anchors that code hosts and the site give the headings of a text."""
    headings = re.findall(r"^#+ +(.+?) *$", FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", LINK.sub(r"\2", heading).lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


def targets(path: Path) -> Iterator[tuple[str, str]]:
    """Yield file and anchor of each relative link; a file of the reference is made when the site is built."""
    for _, _, target in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        file, _, anchor = target.partition("#")
        if (not ELSEWHERE.match(target) or target.startswith("#")) and not file.startswith("api/"):
            yield file, anchor


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(REPO).as_posix())
def test_links_lead_to_files_and_headings(path: Path) -> None:
    broken = []
    for file, anchor in targets(path):
        target = (path.parent / file).resolve() if file else path
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            broken.append(f"{file}#{anchor}")
    assert broken == []


def test_every_picture_is_shown_somewhere() -> None:
    shown = {(path.parent / file).resolve() for path in TEXTS for file, _ in targets(path)}
    pictures = {path.resolve() for path in (REPO / "docs" / "pictures").iterdir()}
    assert pictures - shown == set()


def test_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (REPO / "docs" / "pictures").iterdir()}
    assert {name: size for name, size in sizes.items() if size > 1_500_000} == {}


def test_every_page_stands_in_the_navigation_once() -> None:
    navigation = (REPO / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:\n")[1]
    listed = re.findall(r"[\w./-]+\.md\b", navigation)
    pages = {path.name for path in (REPO / "docs").glob("*.md")}
    assert len(listed) == len(set(listed))
    assert pages <= set(listed)
    assert set(listed) - pages <= set(PAGES.values())


def test_the_readme_is_read_in_minutes() -> None:
    before_licence = (REPO / "README.md").read_text(encoding="utf-8").split("\n## Licence\n")[0]
    assert len(before_licence.split()) <= README_WORDS


def test_the_readme_names_the_licence_of_the_weights_before_its_first_heading() -> None:
    opening = (REPO / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
    assert "MIT" in opening
    assert "research use" in opening


def test_no_text_loads_a_picture_from_elsewhere() -> None:
    pictures = [
        target for path in TEXTS for mark, _, target in LINK.findall(path.read_text(encoding="utf-8")) if mark
    ]
    assert [target for target in pictures if ELSEWHERE.match(target)] == []


@pytest.mark.parametrize(
    ("page", "link", "turned"),
    [
        ("video.md", "[x](inputs.md#films)", "[x](inputs.md#films)"),
        ("video.md", "[x](../benchmarks/README.md#the-peers)", "[x](benchmarks.md#the-peers)"),
        ("models/unet.md", "![x](../docs/pictures/frontier.png)", "![x](../pictures/frontier.png)"),
        ("models/unet.md", "[x](resnet18.md)", "[x](resnet18.md)"),
        ("benchmarks.md", "[x](../docs/live.md)", "[x](live.md)"),
        ("licence.md", "[x](../weights/LICENSE-APACHE-2.0.txt)", "x"),  # no page: only its text is left
        ("video.md", "[x](missing.md)", "[x](missing.md)"),  # stays, so that the build complains
        ("video.md", "[x](https://example.org/a.md)", "[x](https://example.org/a.md)"),
        ("video.md", "```sh\n[x](../CONTRIBUTING.md)\n```", "```sh\n[x](../CONTRIBUTING.md)\n```"),
    ],
)
def test_links_of_the_repository_become_links_of_the_site(page: str, link: str, turned: str) -> None:
    assert page_markdown(link, page) == turned


def test_pages_are_made_of_files_that_exist() -> None:
    assert all((REPO / path).is_file() for path in LINKS)
    assert len(set(PAGES.values())) == len(PAGES)


@pytest.mark.parametrize(
    ("docstring", "markdown"),
    [
        ("Takes a :class:`Frame`.", "Takes a [`Frame`][tracker.Frame]."),
        ("See :func:`~tracker.sources.arrays.frame_from`.", "See [`frame_from`][tracker.frame_from]."),
        ("See :meth:`FaceTracker.find`.", "See [`FaceTracker.find`][tracker.FaceTracker]."),
        ("One of :data:`STAGES`.", "One of `STAGES`."),
        ("So::\n\n    run()", "So:\n\n    run()"),
        (
            "Text.\n\n>>> for x in y:  # doctest: +SKIP\n...     print(x)\n",
            "Text.\n\n```python\nfor x in y:\n    print(x)\n```\n",
        ),
    ],
)
def test_docstrings_become_markdown(docstring: str, markdown: str) -> None:
    assert docstring_markdown(docstring) == markdown


def test_public_names_are_those_of_the_package() -> None:
    import tracker

    assert public_names() == set(tracker.__all__)
