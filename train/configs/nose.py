"""Nose CNNs, grey 80x60 -> point 52: on 300-W faces, then on people 1-32 of the IMM Face Database.

Command   python -m train compare-nose --data DIR --final --out runs/nose
Time      5 to 16 minutes of one core of an AMD EPYC (AVX2, float32) for each run
Expect    fan 5.5 px of 640x480, funnel 6.4, mean over five seeds, on people 33-40
"""

from train.config import Stage, TrainConfig
from train.configs.imm import RECIPE
from train.training.imm import IMM, OTHERS

CONFIG = TrainConfig(
    model="nose-funnel",
    stages=(
        Stage(size=80, epochs=12, peak_lr=1e-3, sets=(OTHERS,)),
        Stage(size=80, epochs=320, peak_lr=1e-3, sets=(IMM,)),
    ),
    batch_size=8,
    ema_decay=0.995,
    precision="32-true",
    recipe=RECIPE,
)
