"""Options on what is drawn and hidden in pictures, checked; errors are ``typer.BadParameter``."""

from __future__ import annotations

import typer

from tracker.drawing.style import DEFAULT_STYLE, DrawStyle
from tracker.runs.targets import OutputTargets


def parse_style(draw: str | None, labels: bool) -> DrawStyle:
    """Return the style that ``--draw`` and ``--labels-on-faces`` name; None is the default."""
    try:
        return DrawStyle.parse(DEFAULT_STYLE.name if draw is None else draw, labels)
    except ValueError as error:
        raise typer.BadParameter(f"--draw: {error}") from None


def check_style(given: bool, style: DrawStyle, anonymise: str | None, has_pictures: bool) -> None:
    """Refuse a style that nobody would see; ``given``: it does not stand by default."""
    if given and not has_pictures:
        raise typer.BadParameter("--draw and --labels-on-faces are for pictures: give --output with them")
    if anonymise == "points" and not style.draws:
        raise typer.BadParameter("--anonymise points shows nothing but the drawing: leave --draw none out")


def check_mask_scale(mask_scale: float | None, anonymise: str | None) -> None:
    """Refuse ``--mask-scale`` without a mask."""
    if mask_scale is not None and anonymise in (None, "points"):
        raise typer.BadParameter(
            "--mask-scale is the size of a mask: give --anonymise blur, pixelate or solid with it"
        )


def has_pictures(targets: OutputTargets, shown: bool) -> bool:
    """Return whether a run shows or writes pictures."""
    return bool(shown or targets.output or targets.virtual_camera)
