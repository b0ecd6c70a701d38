"""The look of every picture: one table of colours and sizes.

Colours are BGR, as OpenCV draws them; sizes are pixels of the picture that is drawn on. Sizes follow the face
up to a limit, so that a face in front of the camera is not hidden by its own points. The limit grows with
pictures of more than 1080 rows, which are shown smaller than they are or on a finer screen.
"""

from __future__ import annotations

Color = tuple[int, int, int]

# Six colours that stay apart for the common kinds of colour blindness: hues that such eyes confuse differ
# in lightness (tests/tracker/drawing/test_theme.py measures it). All are light enough for dark text.
FACE_COLORS: tuple[Color, ...] = (
    (212, 234, 94),  # turquoise
    (36, 178, 255),  # amber
    (255, 176, 201),  # violet
    (91, 80, 232),  # red
    (176, 244, 244),  # cream
    (224, 119, 31),  # blue
)
"""Colours of faces; :func:`color_of` binds them to ids."""

PRINTED_COLORS = ("#0e9f8e", "#d98a00", "#9a6ae0", "#d63c48", "#9c9a2c", "#1f77e0")
"""The same hues as hexadecimal RGB, dark enough for lines on white."""

DOT: Color = (255, 255, 255)
"""Colour of a landmark's dot."""

INK: Color = (26, 22, 20)
"""Dark colour of rings around dots, of badges, and of text on a colour."""

LIGHT: Color = (255, 255, 255)
"""Colour of text on a badge."""

SOFT: Color = (214, 208, 204)
"""Colour of the less important text on a badge."""

ALERT: Color = (90, 90, 255)
"""Colour of the disc beside a running recording, and of a warning."""

COVER: Color = (72, 72, 72)
"""Colour over a head that is hidden under one colour; grey, so that a grey picture stays grey."""

PLAIN: Color = (32, 32, 32)
"""Colour of the background that replaces a picture of which only the drawing is shown."""

BADGE_OPACITY = 0.67
"""Opacity of a badge's background."""

PLATE_OPACITY = 0.86
"""Opacity of the background of tables, which lie over faces and are to be read."""

_FULL_HD = 1080  # rows up to which the limits of sizes hold as they are


def color_of(face_id: int) -> Color:
    """Return the BGR colour of a track; consecutive ids differ."""
    return FACE_COLORS[(face_id - 1) % len(FACE_COLORS)]


def picture_scale(image_hw: tuple[int, int]) -> float:
    """Return the factor on the upper limits of sizes in a picture of ``image_hw`` pixels; 1 up to Full HD."""
    return max(min(image_hw) / _FULL_HD, 1.0)


def dot_radius(face_size: float, scale: float = 1.0) -> float:
    """Return the radius of a landmark's dot in a face of ``face_size`` pixels across."""
    return min(max(face_size / 85, 0.9), 3.2 * scale)


def ring_width(face_size: float, scale: float = 1.0) -> float:
    """Return the width of the dark ring around a dot in a face of ``face_size`` pixels across."""
    return min(max(face_size / 300, 0.4), 1.0 * scale)


def line_width(face_size: float, scale: float = 1.0) -> float:
    """Return the width of lines in a face of ``face_size`` pixels across; below a pixel they are paler."""
    return min(max(face_size / 130, 0.5), 2.2 * scale)


def mesh_width(face_size: float, scale: float = 1.0) -> float:
    """Return the width of the lines of a mesh, which are many, over a face of ``face_size`` pixels across."""
    return max(0.65 * line_width(face_size, scale), 0.6)


def corner_width(face_size: float, scale: float = 1.0) -> float:
    """Return the width of the corners around a face of ``face_size`` pixels across, never paler."""
    return max(line_width(face_size, scale), 1.33)


def pill_height(face_size: float, scale: float = 1.0) -> float:
    """Return the height of the pill that holds the id of a face of ``face_size`` pixels across."""
    return min(max(face_size / 12, 15.0), 26.0 * scale)


def badge_height(picture_height: int) -> int:
    """Return the height of a badge on a picture with ``picture_height`` rows."""
    return max(round(picture_height / 24), 24)
