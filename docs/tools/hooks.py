"""Hooks of mkdocs: pages made of files outside ``docs/``, and the pages of the API reference.

The README files, cards and policies of the repository stay where people look for them, and are pages of the
site as well. The reference has a page for each room of the package, with every public name in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import griffe
from mkdocs.structure.files import File, Files

from docs.tools.links import PAGES, PROJECT_PAGES, REPO, docstring_markdown, page_markdown

ROOMS = {
    "tracking": "Following faces",
    "sources": "Frames in",
    "sinks": "Results and pictures out",
    "drawing": "Drawing",
    "inference": "Models",
    "types": "Values",
    "scheme": "The 68 points",
    "errors": "Errors",
}
"""Headings of the reference's pages, in order. Rooms that are not named here follow under their own name."""


def on_config(config: Any) -> Any:
    """Put the reference's pages and the project's texts into the navigation: ``api/``, ``project/``."""
    rooms = [page for page in reference() if page != "api/index.md"]
    _fill(config.nav, "api/", ["api/index.md", *({_title_of(page): page} for page in rooms)])
    _fill(config.nav, "project/", list(PROJECT_PAGES.values()))
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made of files outside ``docs/``, and the reference."""
    made = {page: (REPO / path).read_text(encoding="utf-8") for path, page in PAGES.items()}
    for page, text in {**made, **reference()}.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links between files of the repository into links between pages."""
    return page_markdown(markdown, page.file.src_uri)


def on_post_build(config: Any) -> None:
    """Take the addresses out of the theme's script from which it would load code when a page asks for it."""
    for script in Path(config.site_dir).glob("assets/javascripts/bundle*.js"):
        text = script.read_text(encoding="utf-8")
        script.write_text(re.sub(r"https://unpkg\.com/[\w@./-]*", "", text), encoding="utf-8")


def reference() -> dict[str, str]:
    """Return the pages of the reference, Markdown by their path below ``docs/``."""
    package = griffe.load("tracker", search_paths=[str(REPO)])
    rooms: dict[str, list[Any]] = {room: [] for room in ROOMS}
    for name in sorted(map(str, package.exports or ()), key=lambda name: (name[0].isupper(), name)):
        member = package.members[name]
        rooms.setdefault(_room_of(member), []).append(member)
    rooms = {room: members for room, members in rooms.items() if members}
    pages = {f"api/{room}.md": _page(room, members) for room, members in rooms.items()}
    return {"api/index.md": _overview(rooms), **pages}


def _title_of(page: str) -> str:
    """Return the heading of a page of the reference."""
    room = Path(page).stem
    return ROOMS.get(room, room.replace("_", " ").capitalize())


def _room_of(member: Any) -> str:
    """Return the room that defines a public name, such as ``sinks`` of ``tracker.sinks.osc.OscSink``."""
    path = member.target_path if member.is_alias else member.path
    return str(path).split(".")[1]


def _page(room: str, members: Iterable[Any]) -> str:
    return f"# {_title_of(room)}\n\n" + "\n\n".join(f"::: tracker.{member.name}" for member in members) + "\n"


def _overview(rooms: dict[str, list[Any]]) -> str:
    head = (
        "# API reference\n\nEvery public name is imported from `tracker`; "
        "the [guide](../library.md) shows how they fit together.\n"
    )
    return head + "".join(
        f"\n## [{_title_of(room)}]({room}.md)\n\n| name | what it is |\n|---|---|\n"
        + "".join(map(_row, members))
        for room, members in rooms.items()
    )


def _row(member: Any) -> str:
    docstring = member.docstring.value if member.docstring else ""
    first = " ".join(docstring_markdown(docstring.split("\n\n")[0]).split()).replace("|", "\\|")
    return f"| [`{member.name}`][tracker.{member.name}] | {first} |\n"


def _fill(entries: list[Any], place: str, pages: list[Any]) -> None:
    """Replace the entry ``place`` wherever it stands in the navigation by ``pages``."""
    for entry in entries:
        for title, value in list(entry.items()) if isinstance(entry, dict) else ():
            if value == place:
                entry[title] = pages
            elif isinstance(value, list):
                _fill(value, place, pages)
