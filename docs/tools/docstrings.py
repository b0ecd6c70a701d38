"""Extension of the API reference: docstrings written for Sphinx, as Markdown."""

from __future__ import annotations

from typing import Any

import griffe

from docs.tools.links import docstring_markdown


class Docstrings(griffe.Extension):
    """Turns the roles and code blocks of each docstring into Markdown."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the docstring of an object that has one."""
        if obj.docstring:
            obj.docstring.value = docstring_markdown(obj.docstring.value)
