"""U-Net of 16 features, grey 128x128 -> 68 maps of 64x64, on 300-W and WFLW training faces.

Command   python -m train unet --data DIR
"""

from train.config import Stage, TrainConfig
from train.heatmap import HeatmapCodec
from train.losses import LandmarkLoss

CONFIG = TrainConfig(
    model="unet",
    # A step at 64 px costs a quarter, and what a face looks like is learned there as well.
    stages=(Stage(size=64, epochs=40, peak_lr=3e-3), Stage(size=128, epochs=25, peak_lr=1.5e-3)),
    batch_size=16,
    loss=LandmarkLoss(codec=HeatmapCodec(sigma=1.5)),
)
