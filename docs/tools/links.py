"""Links of the repository's texts and docstrings as links between pages of the site."""

from __future__ import annotations

import os.path
import re
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
PROJECT_PAGES = {
    path.name: path.name.lower().replace("_", "-")
    for path in sorted(REPO.glob("*.md"))
    if path.name != "README.md"
}
"""Texts at the root of the repository, such as CONTRIBUTING.md, and the pages that are made of them."""

PAGES = {
    **PROJECT_PAGES,
    "benchmarks/README.md": "benchmarks.md",
    "examples/README.md": "examples.md",
    **{f"weights/{card.name}": f"models/{card.name}" for card in sorted((REPO / "weights").glob("*.md"))},
}
"""Files of the repository outside ``docs/`` and the pages that are made of them."""

LINKS = {**PAGES, "README.md": "index.md", "LICENSE": "licence.md"}
"""Files of the repository and the pages that links to them lead to."""

LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")
"""A link or picture in Markdown: its mark, text and target."""

ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|#|/")
"""The beginning of a target that is no relative path."""

FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
"""A block of code, of which nothing is a link."""

_SESSION = re.compile(r"(?:^>>> .*\n?(?:^\.\.\. ?.*\n?)*)+", re.MULTILINE)
_ROLE = re.compile(r":\w+:`~?([\w.]+)`")
_PUBLIC_NAME = re.compile(r'^    "(\w+)",$', re.MULTILINE)


def public_names() -> frozenset[str]:
    """Return the names in ``__all__`` of the package, which needs not be installed."""
    text = (REPO / "tracker" / "__init__.py").read_text(encoding="utf-8")
    return frozenset(_PUBLIC_NAME.findall(text))


def page_markdown(markdown: str, page: str) -> str:
    """Return the text of ``page``, a path below ``docs/``, with its links as links between pages.

    Links are written as they are in the repository. What is no page of the site becomes plain text.
    """
    here = next((path for path, made in PAGES.items() if made == page), f"docs/{page}")
    parts = FENCE.split(markdown)
    return "".join(
        part if part.startswith("```") else LINK.sub(lambda link: _turned(link, here, page), part)
        for part in parts
    )


def docstring_markdown(docstring: str) -> str:
    """Return a docstring without Sphinx's roles and without the double colon before code.

    The role of a public name becomes a link to its place in the reference, an interactive session a program.
    """
    text = _ROLE.sub(lambda role: _linked(role[1]), _SESSION.sub(_program, docstring))
    return re.sub(r"^::\n", "", re.sub(r"(?<=\S)::$", ":", text, flags=re.MULTILINE), flags=re.MULTILINE)


def _program(session: re.Match[str]) -> str:
    lines = [re.sub(r"\s*# doctest:.*", "", line[4:]) for line in session.group().splitlines()]
    return "\n".join(["```python", *lines, "```", ""])


def _linked(path: str) -> str:
    name = path.split(".")[1] if re.match(r"tracker\.[A-Z]", path) else path.rsplit(".", 1)[-1]
    owner = path.split(".", 1)[0]
    shown = f"`{path.rsplit('.', 1)[-1] if path.startswith('tracker.') else path}`"
    target = name if name in public_names() else owner
    return f"[{shown}][tracker.{target}]" if target in public_names() else shown


def _turned(link: re.Match[str], here: str, page: str) -> str:
    """Return a link of the file ``here`` as one of ``page``."""
    mark, text, target = link.groups()
    if ELSEWHERE.match(target):
        return link.group()
    path, _, anchor = target.partition("#")
    wanted = os.path.normpath(Path(here).parent / path).replace(os.sep, "/")
    inside = wanted.removeprefix("docs/") if wanted.startswith("docs/") else LINKS.get(wanted)
    if inside is None:
        return text if (REPO / wanted).exists() else link.group()
    place = os.path.relpath(inside, Path(page).parent).replace(os.sep, "/")
    return f"{mark}[{text}]({place}{'#' if anchor else ''}{anchor})"
