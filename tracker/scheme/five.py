"""Landmark scheme with five points: centres of the eyes, tip of the nose, corners of the mouth."""

from __future__ import annotations

from tracker.scheme.value import CropRule, Scheme, Upright, interned

FIVE = interned(
    Scheme(
        name="five",
        n_points=5,
        parts={"eyes": (0, 1), "nose": (2,), "mouth": (3, 4)},
        edges=((0, 1), (0, 2), (2, 1), (2, 3), (3, 4), (4, 2)),
        names=("left_eye", "right_eye", "nose_tip", "left_mouth_corner", "right_mouth_corner"),
        mirror=(1, 0, 2, 4, 3),
        normaliser=(0, 1),
        upright=Upright((0,), (1,), mouth=(3, 4)),
        steady=(0, 1, 2),
        # Medians over 2012 training faces of 300-W, upright: the box of iBUG's points is 2.11 times as long
        # as that of these five, and its middle lies lower by 0.077 of its side. So the crops show the same.
        crop=CropRule(margin=1.35 * 2.11, box_shift=(0.0, -0.077)),
    )
)
"""Five points in the order that most face libraries use: what alignment for recognition needs."""
