"""The command ``tracker demo``.

Modules that take long to import are imported when it runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracker.cli.exit_codes import interruptible
from tracker.cli.messages import show_result
from tracker.cli.options import Quiet, named_path


def demo(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", parser=named_path, metavar="DIR", help="Folder for what it makes."),
    ] = Path("tracker-demo"),
    open_result: Annotated[
        bool, typer.Option("--open", help="Open the folder in the system's viewer at the end.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Track a portrait and a short clip of it, and say what was made; needs no camera and no screen.

    A folder that holds other files than those of an earlier demo is left alone.
    """
    with interruptible():
        from tracker.cli.start_demo import run_demo

        run_demo(output, quiet)
    if open_result:
        show_result(output)
