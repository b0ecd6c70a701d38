"""Nose CNNs, grey 80x60 -> the tip of the nose, on people 1-32 of the IMM Face Database.

Command   python -m train compare-nose --data DIR --out runs/nose
Time      3 to 5 minutes of one core of an AMD EPYC (AVX2, float32) for each run
Expect    fan 9.2 px of 640x480, funnel 10.5, mean over five seeds, on people 33-40
"""

from train.config import Stage, TrainConfig
from train.data.augment import GeometryPolicy, PhotometricPolicy
from train.data.dataset import SampleRecipe

CONFIG = TrainConfig(
    model="nose-funnel",
    stages=(Stage(size=80, epochs=150, peak_lr=1e-3),),
    batch_size=8,
    ema_decay=0.995,
    precision="32-true",
    recipe=SampleRecipe(
        GeometryPolicy(angle_std_deg=6, angle_max_deg=15, scale_std=0.08, shift_std=0.05, shift_max=0.12),
        PhotometricPolicy(tone=0.5, shade=0.2, blur=0.1, low_resolution=0, noise=0.2, jpeg=0, occlusion=0),
        background=0,
    ),
)
