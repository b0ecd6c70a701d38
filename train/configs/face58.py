"""58-point CNN, grey 240x180 -> 58 points, on people 1-32 of the IMM Face Database.

Command   python -m train face58 --data DIR
Time      35 minutes on one core of an AMD EPYC (AVX2, float32), the other core busy
Expect    NME 6.2 % on people 33-40
"""

from train.config import Stage, TrainConfig
from train.data.augment import GeometryPolicy, PhotometricPolicy
from train.data.dataset import SampleRecipe

CONFIG = TrainConfig(
    model="face58",
    stages=(Stage(size=240, epochs=200, peak_lr=1e-3),),
    batch_size=8,
    ema_decay=0.995,
    precision="32-true",
    recipe=SampleRecipe(
        GeometryPolicy(angle_std_deg=6, angle_max_deg=15, scale_std=0.08, shift_std=0.05, shift_max=0.12),
        PhotometricPolicy(tone=0.5, shade=0.2, blur=0.1, low_resolution=0, noise=0.2, jpeg=0, occlusion=0),
        background=0,
    ),
)
