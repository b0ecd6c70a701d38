"""Names from outside in lines for people: data, whatever they hold."""

from __future__ import annotations


def printable(text: str) -> str:
    """``text`` on one line without anything that a terminal would obey: the rest becomes escapes.

    A file may be named so that printing its name would clear the screen or look like another message.
    """
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
