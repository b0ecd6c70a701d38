"""Augmentation shared by the recipes for the IMM Face Database."""

from train.data.augment import GeometryPolicy, PhotometricPolicy
from train.data.dataset import SampleRecipe

RECIPE = SampleRecipe(
    GeometryPolicy(angle_std_deg=6, angle_max_deg=15, scale_std=0.08, shift_std=0.05, shift_max=0.12),
    PhotometricPolicy(tone=0.5, shade=0.3, blur=0.1, low_resolution=0, noise=0.2, jpeg=0, occlusion=0),
    background=0,
)
