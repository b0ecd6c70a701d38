"""U-Net with the ResNet18 as its way down, grey 128x128 -> 68 maps of 64x64, on 300-W and WFLW faces.

Command   python -m train unet --data DIR --init weights/resnet18.onnx
"""

from train.config import Stage, TrainConfig
from train.heatmap import HeatmapCodec
from train.losses import LandmarkLoss

CONFIG = TrainConfig(
    model="unet",
    stages=(Stage(size=128, epochs=20, peak_lr=1e-3),),
    loss=LandmarkLoss(codec=HeatmapCodec(sigma=1.5)),
)
