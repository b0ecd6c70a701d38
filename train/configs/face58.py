"""58-point CNN, grey 240x180 -> 58 points: on 300-W faces, then on people 1-32 of the IMM Face Database.

Command   python -m train face58 --data DIR --final
Time      100 minutes of one core of an AMD EPYC (AVX2, float32), shared with other processes
Expect    NME 5.6 % on people 33-40
"""

from train.config import Stage, TrainConfig
from train.configs.imm import RECIPE
from train.training.imm import IMM, OTHERS

CONFIG = TrainConfig(
    model="face58",
    stages=(
        Stage(size=240, epochs=12, peak_lr=1e-3, sets=(OTHERS,)),
        Stage(size=240, epochs=150, peak_lr=7e-4, sets=(IMM,)),
        Stage(size=240, epochs=240, peak_lr=1.5e-3, sets=(IMM,)),
    ),
    batch_size=16,
    ema_decay=0.995,
    precision="32-true",
    recipe=RECIPE,
)
