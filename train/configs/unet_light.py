"""U-Net of 8 features, grey 96x96 -> one 24x24 map a point, on faces labelled by the U-Net and by hand.

Command   python -m train unet-light --data DIR --pseudo pseudo.jsonl --workers 3
          (train/configs/unet_taught.py shows how to make pseudo.jsonl)
Time      207 seconds of training on an NVIDIA H200 (bfloat16) that three other runs shared;
          about 20 minutes on two cores of an AMD EPYC with avx512_bf16, estimated from 288 images/s
Expect    NME 3.67 % on the validation faces, from the label box
"""

from train.config import Stage, TrainConfig
from train.configs.landmarks import EVERYTHING, LABELLED, RECIPE
from train.models.heatmap import HeatmapCodec
from train.models.losses import LandmarkLoss

CONFIG = TrainConfig(
    model="unet-light",
    stages=(
        Stage(size=96, epochs=23, peak_lr=4e-3, sets=EVERYTHING),
        Stage(size=96, epochs=77, peak_lr=2e-3, sets=LABELLED),
    ),
    batch_size=64,
    weight_decay=0.05,
    recipe=RECIPE,
    loss=LandmarkLoss(codec=HeatmapCodec(sigma=1.0)),
)
