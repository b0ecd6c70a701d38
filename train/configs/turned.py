"""Augmentation, data sets and repeats shared by the recipes for turned, covered and half-lit faces."""

from dataclasses import replace

from train.configs.landmarks import LABELLED
from train.data.augment import GeometryPolicy, PhotometricPolicy
from train.data.dataset import SampleRecipe
from train.data.occluders import OccluderPolicy

RECIPE = SampleRecipe(
    GeometryPolicy(angle_std_deg=12, scale_std=0.1, shift_std=0.045),
    PhotometricPolicy(occlusion=0.25),
    background=0.1,
    occluders=OccluderPolicy(mask=0.16, hand=0.1, half_light=0.12),
)

TURNED = (*LABELLED, "profiles", "hands", "noface", "pseudo")
"""Old labelled faces, so that they stay as good, with profiles, hands, pictures without a face, and the faces
that ``turned-labels`` labelled."""

REPEATS = {"profiles": 2, "hands": 2, "noface": 3}

SETTLED = replace(RECIPE, occluders=OccluderPolicy(mask=0.12, hand=0.05, half_light=0.08))
"""The same with fewer occluders, for the last steps on a network that was blended."""

SETTLED_REPEATS = {**REPEATS, "lfpw": 2, "helen": 2, "afw": 2, "wflw68": 2}
