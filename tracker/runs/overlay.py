"""Overlay of the live window: badges in the corners, progress of a film, panel and help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tracker.drawing.panel import NO_PANEL, Panel, draw_panel, panel_width
from tracker.drawing.text import (
    Corner,
    Span,
    badge_size,
    draw_badge,
    draw_key,
    draw_plate,
    draw_text,
    key_width,
    text_size,
)
from tracker.drawing.theme import LIGHT, PLATE_OPACITY, SOFT, badge_height
from tracker.runs.keys import CAPS, KEYS
from tracker.system.terminal import shortened
from tracker.types import ImageArray

Spans = tuple[Span, ...]

_BAR_SHARE = 1 / 8  # thickness of the progress line over the height of a badge
_SHORTEST = 16  # letters of a text that is shortened to fit
_LEAST_TEXT = 6  # pixels
_LEADING = 1.75  # distance of the rows of the help over the size of its text
_TEXT_SHARE = 0.5  # size of text over the height of a badge


@dataclass(frozen=True)
class Overlay:
    """Everything that the live window shows over the picture; equal ones look the same.

    ``status`` stands at the bottom left, ``hint`` at the bottom right, ``notes`` below each other at the top
    right. ``progress`` is the share of a film that is over, None for no line.
    """

    status: Spans = ()
    hint: Spans = ()
    notes: tuple[Spans, ...] = ()
    panel: Panel = NO_PANEL
    shows_help: bool = False
    progress: float | None = None


def draw_overlay(canvas_bgr: ImageArray, overlay: Overlay) -> None:
    """Draw the overlay on ``(H, W, 3)`` uint8, in place, at sizes that suit this canvas.

    In a narrow one the less important texts of the badges are left out. The help takes the panel's place.
    """
    panel = NO_PANEL if overlay.shows_help else overlay.panel
    rows, columns = canvas_bgr.shape[:2]
    height = badge_height(min(rows, round(0.8 * columns)))
    size = round(_TEXT_SHARE * height)
    draw_panel(canvas_bgr, panel, size)
    if overlay.progress is not None:
        _draw_progress(canvas_bgr, overlay.progress, max(round(_BAR_SHARE * height), 3))
    status, hint = fitting(overlay.status, overlay.hint, columns, height)
    badges: list[tuple[Corner, Spans, int]] = [("bottom left", status, 0), ("bottom right", hint, 0)]
    notes = [narrowed(spans, columns, height) for spans in overlay.notes]
    taken = panel_width(panel, (rows, columns), size)
    widest = max((badge_size(spans, height)[0] for spans in notes), default=0)
    beside_panel = taken + widest + 2 * height <= columns
    for row, spans in enumerate(notes):
        badges.append(("top right", spans, row) if beside_panel else ("bottom right", spans, row + 1))
    for corner, spans, row in badges:
        if spans:
            draw_badge(canvas_bgr, corner, spans, height, row)
    if overlay.shows_help:
        _draw_help(canvas_bgr, size)


def fitting(status: Spans, hint: Spans, columns: int, height: int) -> tuple[Spans, Spans]:
    """Return the two lower badges without the texts that have no place beside each other.

    Of the status the last but one goes first (the model), then the second (latency), then the hint.
    """

    def fits(left: Spans, right: Spans) -> bool:
        widths = [badge_size(spans, height)[0] for spans in (left, right) if spans]
        return sum(widths) + 2 * height <= columns

    choices = (
        (status, hint),
        ((*status[:-2], *status[-1:]), hint),
        ((*status[:1], *status[-1:]), hint),
        ((*status[:1], *status[-1:]), ()),
    )
    return next((choice for choice in choices if fits(*choice)), (status[:1], ()))


def narrowed(spans: Spans, columns: int, height: int) -> Spans:
    """Return a badge whose texts are shortened, the last one first, until it fits into the picture."""
    *others, last = spans
    length = len(last.text)
    while length > _SHORTEST and badge_size(spans, height)[0] > columns - 2 * height:
        length -= 2
        spans = (*others, replace(last, text=shortened(last.text, length)))
    return spans


def _draw_progress(canvas: ImageArray, share: float, thickness: int) -> None:
    """Draw a thin line along the lower edge, light up to ``share``, on a thicker dark one."""
    track = canvas[-thickness - max(thickness // 2, 1) :]
    track[:] = track // 3  # so that the light part stands out from a light picture, too
    canvas[-thickness:, : round(share * canvas.shape[1])] = LIGHT


def _draw_help(canvas: ImageArray, size: int) -> None:
    """Draw the table of keys on a plate in the middle, with text of ``size`` pixels if that fits."""
    rows, columns = canvas.shape[:2]
    texts = [(CAPS.get(key, key), action) for key, action in KEYS.items()]
    size = max(min(size, int(rows / (_LEADING * len(texts) + 3))), _LEAST_TEXT)
    while (widths := _widths(texts, size))[2] > 0.96 * columns and size > _LEAST_TEXT:
        size -= 1
    cap_width, gap, width = widths
    step, pad = round(_LEADING * size), round(1.4 * size)
    height = step * len(texts) + 2 * pad - round(0.6 * size)
    left, top = (columns - width) // 2, (rows - height) // 2
    draw_plate(canvas, (left, top), (width, height), size, PLATE_OPACITY)
    for row, (cap, action) in enumerate(texts):
        y = top + pad + row * step - round(0.3 * size)
        draw_key(canvas, cap, (left + pad, y), size)
        draw_text(canvas, action, (left + pad + cap_width + gap, y), size, SOFT)


def _widths(texts: Sequence[tuple[str, str]], size: int) -> tuple[int, int, int]:
    """Return the width of the column of keys, of the gap after it, and of the whole table."""
    caps = max(key_width(cap, size) for cap, _ in texts)
    actions = max(text_size(action, size)[0] for _, action in texts)
    gap = round(1.2 * size)
    return caps, gap, caps + gap + actions + 2 * round(1.4 * size)
