"""Text in a real font, and the badges, pills and plates that hold it.

The font is the one that Pillow holds: it needs no file and has the letters of ASCII and a few signs. Accents
are left out, and "?" stands for any other letter. Text is rendered once into a patch and then only blended.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tracker.drawing.patch import Patch
from tracker.drawing.theme import BADGE_OPACITY, INK, LIGHT, SOFT, Color, badge_height
from tracker.types import ImageArray

Corner = Literal["top left", "top right", "bottom left", "bottom right", "bottom middle", "middle"]

_SIGNS = "©«°±·»\u2018\u2019\u201c\u201d"  # beyond ASCII, and in the font
_TEXT_SHARE = 0.5  # size of text over the height of its badge
_SPACE = 0.3  # width of a space over the size of the text; that of the font is too narrow for small letters
_CAP_OPACITY = 0.22  # of the cap of a key, over the dark of a badge
_LOW = 0.53  # height of an x over the size of the text
_FINER = 4  # parts of a pixel to which letters are drawn
_BOLD = (0.07, 0.03)  # how much wider and higher strokes of bold letters are, over the size of the text
_APART, _APART_BOLD = 0.015, 0.06  # more space between letters than the font has, over the size of the text
_FIRMER = np.rint(255 * (np.arange(256) / 255) ** 0.85).astype(np.uint8)  # thin strokes on a dark plate


@dataclass(frozen=True)
class Span:
    """One piece of text on a badge.

    ``bold`` text is what the eye should find first; text that is not is a little darker. ``disc`` is the BGR
    colour of a disc in front of the text, as of a recording that runs. ``key`` is a key of the keyboard in
    front of the text, which says what it does.
    """

    text: str
    bold: bool = False
    disc: Color | None = None
    key: str = ""


def text_size(text: str, size: int, bold: bool = False) -> tuple[int, int]:
    """Return width and height in pixels of what :func:`draw_text` draws, the same height for all texts."""
    mask = _mask(text, size, bold)
    return mask.shape[1], mask.shape[0]


def draw_text(
    canvas_bgr: ImageArray,
    text: str,
    top_left: tuple[float, float],
    size: int,
    color: Color = LIGHT,
    bold: bool = False,
) -> None:
    """Draw one line of text in place; ``size`` is that of the font in pixels, ``top_left`` (x, y).

    Parts outside the picture are left out.
    """
    _text_patch(text, size, color, bold).blend(canvas_bgr, top_left)


def draw_plate(
    canvas_bgr: ImageArray,
    top_left: tuple[float, float],
    size: tuple[int, int],
    radius: float,
    opacity: float = BADGE_OPACITY,
) -> None:
    """Draw a dark, translucent rectangle with round corners in place; ``size`` is (width, height)."""
    _plate_patch(size, radius, INK, opacity).blend(canvas_bgr, top_left)


def draw_key(canvas_bgr: ImageArray, key: str, top_left: tuple[float, float], size: int) -> None:
    """Draw the cap of a key in place, at the height of a line of :func:`draw_text` of ``size``."""
    _key_patch(key, size).blend(canvas_bgr, top_left)


def key_width(key: str, size: int) -> int:
    """Return the width in pixels of what :func:`draw_key` draws."""
    return _key_patch(key, size).size[0]


def badge_size(texts: Sequence[str | Span], height: int) -> tuple[int, int]:
    """Return width and height in pixels of the badge that :func:`draw_badge` draws at ``height``."""
    patch = _badge_patch(_spans(texts), height)
    return patch.size


def draw_badge(
    canvas_bgr: ImageArray,
    corner: Corner,
    texts: Sequence[str | Span],
    height: int | None = None,
    row: int = 0,
) -> None:
    """Draw ``texts`` side by side on a round, dark, translucent badge in a corner of the picture, in place.

    ``height`` is that of the badge in pixels, by default :func:`~tracker.drawing.theme.badge_height` of the
    picture. ``row`` counts badges from the corner towards the middle, to stack several. A badge that is wider
    than the picture is drawn smaller.
    """
    rows, columns = canvas_bgr.shape[:2]
    spans, height = _spans(texts), height or badge_height(rows)
    margin = round(0.6 * height)
    width = _badge_patch(spans, height).size[0]
    if width > columns - 2 * margin:
        height = max(int(height * (columns - 2 * margin) / width), 8)
    patch = _badge_patch(spans, height)
    patch.blend(canvas_bgr, _badge_place(corner, (rows, columns), patch.size, margin, row))


def draw_pill(
    canvas_bgr: ImageArray, text: str, left_bottom: tuple[float, float], height: float, color: Color
) -> None:
    """Draw dark, bold text on an opaque pill of ``color`` whose left and bottom are given, in place.

    It is moved into the picture where it would stand out.
    """
    patch = _pill_patch(text, round(height), color)
    width, height = patch.size
    x = min(max(left_bottom[0], 0), max(canvas_bgr.shape[1] - width, 0))
    y = min(max(left_bottom[1] - height, 0), max(canvas_bgr.shape[0] - height, 0))
    patch.blend(canvas_bgr, (x, y))


def _badge_place(
    corner: Corner, image_hw: tuple[int, int], size: tuple[int, int], margin: int, row: int
) -> tuple[int, int]:
    """Return the top left of a badge of ``size`` (width, height)."""
    rows, columns = image_hw
    width, height = size
    step = round(1.35 * height) * row
    x = {"left": margin, "right": columns - margin - width}.get(corner.split()[-1], (columns - width) // 2)
    if corner == "middle":
        return x, (rows - height) // 2 + step
    return x, margin + step if corner.startswith("top") else rows - margin - height - step


def _spans(texts: Sequence[str | Span]) -> tuple[Span, ...]:
    return tuple(Span(text) if isinstance(text, str) else text for text in texts)


@lru_cache(maxsize=64)
def _badge_patch(spans: tuple[Span, ...], height: int) -> Patch:
    size = max(round(_TEXT_SHARE * height), 6)
    gap, pad, radius = round(0.75 * size), round(0.45 * height), round(0.2 * height)
    starts, x = [], pad
    for span in spans:
        before = 3 * radius if span.disc else 0
        before += _key_patch(span.key, size).size[0] + round(0.4 * size) if span.key else 0
        starts.append(x + before)
        x += before + _mask(span.text, size, span.bold).shape[1] + gap
    canvas = Patch.blank((max(x - gap, pad) + pad, height))
    canvas = canvas.over(_plate_patch(canvas.size, height / 2, INK, BADGE_OPACITY), (0, 0))
    for start, span in zip(starts, spans, strict=True):
        if span.disc:
            disc = _plate_patch((2 * radius, 2 * radius), radius, span.disc, 1.0)
            canvas = canvas.over(disc, (start - 3 * radius, (height - 2 * radius) // 2))
        if span.key:
            cap = _key_patch(span.key, size)
            canvas = canvas.over(cap, (start - round(0.4 * size) - cap.size[0], (height - cap.size[1]) // 2))
        patch = _text_patch(span.text, size, LIGHT if span.bold else SOFT, span.bold)
        canvas = canvas.over(patch, (start, (height - patch.size[1]) // 2))
    return canvas


@lru_cache(maxsize=64)
def _key_patch(key: str, size: int) -> Patch:
    """Return a bold text on a pale cap, at least as wide as high."""
    text = _text_patch(key, size, LIGHT, bold=True)
    height = text.size[1]
    width = max(text.size[0] + round(0.7 * size), height)
    canvas = Patch.blank((width, height))
    canvas = canvas.over(_plate_patch((width, height), 0.28 * height, LIGHT, _CAP_OPACITY), (0, 0))
    return canvas.over(text, ((width - text.size[0]) // 2, 0))


@lru_cache(maxsize=256)
def _pill_patch(text: str, height: int, color: Color) -> Patch:
    size = max(round(0.66 * height), 6)
    text_patch = _text_patch(text, size, INK, bold=True)
    width = max(text_patch.size[0] + round(0.6 * height), round(1.12 * height))
    canvas = Patch.blank((width, height)).over(_plate_patch((width, height), height / 2, color, 1.0), (0, 0))
    left = (width - text_patch.size[0]) // 2
    return canvas.over(text_patch, (left, (height - text_patch.size[1]) // 2))


@lru_cache(maxsize=256)
def _text_patch(text: str, size: int, color: Color, bold: bool) -> Patch:
    return Patch.of_mask(_mask(text, size, bold), color)


@lru_cache(maxsize=64)
def _plate_patch(size: tuple[int, int], radius: float, color: Color, opacity: float) -> Patch:
    """Return a rectangle with round corners; each pixel is as opaque as it is covered."""
    width, height = size
    radius = min(radius, width / 2, height / 2)
    x = np.maximum(np.abs(np.arange(width) + 0.5 - width / 2) - (width / 2 - radius), 0)
    y = np.maximum(np.abs(np.arange(height) + 0.5 - height / 2) - (height / 2 - radius), 0)
    covered = np.clip(radius + 0.5 - np.hypot(x[None, :], y[:, None]), 0, 1)
    return Patch.of_mask(np.rint(255 * opacity * covered).astype(np.uint8), color)


@lru_cache(maxsize=256)
def _mask(text: str, size: int, bold: bool) -> ImageArray:
    """Return the cover of a line of text, ``(H, W)`` uint8; H is the same for all texts of a size.

    Letters are drawn finer and averaged, so that each lies where it belongs and not at the next whole pixel.
    The font has one weight: bold letters are thickened, more across than along, and set a little wider.
    """
    font = _font(size)
    above, below = -font.getbbox("H", anchor="ls")[1], font.getmetrics()[1]
    cap, below = math.ceil(above / _FINER), math.ceil(below / _FINER)
    wide, high = (round(share * size * _FINER) if bold else 0 for share in _BOLD)
    starts, end = _starts(_in_font(text), size, bold)
    columns = math.ceil((end + wide) / _FINER)
    rows = cap + 2 * below  # as much above as below: capitals are in the middle of the mask
    image = Image.new("L", (max(columns, 1) * _FINER, rows * _FINER))
    draw, baseline = ImageDraw.Draw(image), (rows - below) * _FINER
    for letter, start in zip(_in_font(text), starts, strict=True):
        draw.text((start + wide / 2, baseline), letter, 255, font, anchor="ls")
    fine = np.asarray(image, np.uint8)
    if bold:
        fine = np.asarray(cv2.dilate(fine, np.ones((high + 1, wide + 1), np.uint8)), np.uint8)
    mask = cv2.resize(fine, (max(columns, 1), rows), interpolation=cv2.INTER_AREA)
    return np.asarray(mask if bold else _FIRMER[mask], np.uint8)


def _starts(text: str, size: int, bold: bool) -> tuple[list[float], float]:
    """Return where each letter starts and where the last one ends, in parts of a pixel."""
    font, apart = _font(size), (_APART_BOLD if bold else _APART) * size * _FINER
    starts, end = [], 0.0
    for letter in text:
        starts.append(end)
        end += apart + (_SPACE * size * _FINER if letter == " " else font.getlength(letter))
    return starts, end - apart if text else 0.0


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font for the fine picture, large enough for crisp letters: x is whole pixels high."""
    low = _LOW * size
    font = ImageFont.load_default(_FINER * size * math.ceil(low) / low)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _in_font(text: str) -> str:
    """Return ``text`` with letters that the font has: without accents, and "?" for what is left."""
    plain = (sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return "".join(sign if " " <= sign <= "~" or sign in _SIGNS else "?" for sign in plain)
