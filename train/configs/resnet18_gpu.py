"""ResNet18 at full length: pre-trained on YouTube faces too, then at 224 px, for one GPU.

Command   python -m train resnet18 --data DIR --config train/configs/resnet18_gpu.py --workers 12
Time      not measured: no GPU was at hand
Expect    not measured: better than train/configs/resnet18.py, being five times longer
"""

from train.config import Stage, TrainConfig

_LABELLED = ("lfpw", "helen", "afw", "wflw68")

CONFIG = TrainConfig(
    model="resnet18",
    stages=(
        Stage(size=128, epochs=60, peak_lr=1.5e-3, sets=(*_LABELLED, "youtube")),
        Stage(size=128, epochs=160, peak_lr=1e-3, sets=_LABELLED),
        Stage(size=224, epochs=60, peak_lr=3e-4, sets=_LABELLED),
    ),
    batch_size=64,
)
