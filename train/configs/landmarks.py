"""Augmentation and data sets shared by the recipes for iBUG's points."""

from train.data.augment import GeometryPolicy, PhotometricPolicy
from train.data.dataset import SampleRecipe

RECIPE = SampleRecipe(
    GeometryPolicy(angle_std_deg=12, scale_std=0.1, shift_std=0.045), PhotometricPolicy(occlusion=0.35)
)

LABELLED = ("lfpw", "helen", "afw", "wflw68")
"""Data sets labelled by people."""
EVERYTHING = (*LABELLED, "pseudo")
"""All data sets, including faces that a network labelled."""
