"""ResNet18, grey 128x128 -> iBUG's points and presence, on 300-W and WFLW training faces.

Command   python -m train resnet18 --data DIR --workers 4
Time      274 seconds of training on an NVIDIA H200 (bfloat16) that two to four other runs shared;
          about 1 h 40 on two cores of an AMD EPYC with avx512_bf16, estimated from 80 images/s
Expect    NME 3.45 % on the validation faces, from the label box
"""

from train.config import Stage, TrainConfig
from train.configs.landmarks import RECIPE

CONFIG = TrainConfig(
    model="resnet18",
    stages=(Stage(size=128, epochs=180, peak_lr=2e-3),),
    batch_size=64,
    weight_decay=0.05,
    recipe=RECIPE,
)
