"""U-Net of 8 features, grey 112x112 -> 68 maps of 28x28, on 300-W and WFLW training faces.

Command   python -m train unet-light --data DIR
"""

from train.config import Stage, TrainConfig
from train.heatmap import HeatmapCodec
from train.losses import LandmarkLoss

CONFIG = TrainConfig(
    model="unet-light",
    stages=(Stage(size=112, epochs=80, peak_lr=3e-3),),
    batch_size=16,
    loss=LandmarkLoss(codec=HeatmapCodec(sigma=1.0)),
)
