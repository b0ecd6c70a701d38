"""What the recipes for 68 points share: how crops are varied, and which sets have labels made by people."""

from train.data.augment import GeometryPolicy, PhotometricPolicy
from train.data.dataset import SampleRecipe

RECIPE = SampleRecipe(
    GeometryPolicy(angle_std_deg=12, scale_std=0.1, shift_std=0.045), PhotometricPolicy(occlusion=0.35)
)

LABELLED = ("lfpw", "helen", "afw", "wflw68")
EVERYTHING = (*LABELLED, "pseudo")
