"""U-Net of 32 features, grey 128x128 -> one 64x64 map a point, on 300-W and WFLW faces: the teacher.

Command   python -m train unet --data DIR --workers 4
Time      105 seconds of training on an NVIDIA H200 (bfloat16) that two other runs shared;
          about 3 h 10 on two cores of an AMD EPYC with avx512_bf16, estimated from 17 images/s
Expect    NME 3.37 % on the validation faces, from the label box
"""

from train.config import Stage, TrainConfig
from train.configs.landmarks import RECIPE
from train.models.heatmap import HeatmapCodec
from train.models.losses import LandmarkLoss

CONFIG = TrainConfig(
    model="unet",
    stages=(Stage(size=128, epochs=75, peak_lr=2e-3),),
    batch_size=64,
    weight_decay=0.05,
    recipe=RECIPE,
    loss=LandmarkLoss(codec=HeatmapCodec(sigma=1.5)),
)
