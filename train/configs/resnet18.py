"""ResNet18, grey 128x128 -> 68 points and presence, from scratch on 300-W and WFLW training faces.

Command   python -m train resnet18 --data DIR --out runs/resnet18
Time      about 100 minutes on one core of an AMD EPYC with AVX512-bf16 (a minute an epoch)
Expect    NME 4.2 % on the validation faces, from the label box
"""

from train.config import Stage, TrainConfig

CONFIG = TrainConfig(
    model="resnet18",
    stages=(Stage(size=128, epochs=60, peak_lr=1.5e-3), Stage(size=128, epochs=36, peak_lr=8e-4)),
)
