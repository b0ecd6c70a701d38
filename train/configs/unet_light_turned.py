"""U-Net of 8 features for every visible face: fine-tuned as resnet18_turned.py does.

Command   python -m train unet-light --data DIR --config train/configs/unet_light_turned.py
              --init before.onnx --pseudo turned.jsonl --mined candidates.jsonl --keep 1
              --out runs/unet-light-turned
Time      about 17 minutes on one core of an AMD EPYC with avx512_bf16
Expect    see weights/unet-light.md, which has the steps before and after, too
"""

from train.config import Stage, TrainConfig
from train.configs.turned import RECIPE, REPEATS, TURNED
from train.models.heatmap import HeatmapCodec
from train.models.losses import LandmarkLoss

CONFIG = TrainConfig(
    model="unet-light",
    stages=(Stage(size=96, epochs=20, peak_lr=1.5e-3, sets=TURNED),),
    batch_size=32,
    weight_decay=0.05,
    recipe=RECIPE,
    loss=LandmarkLoss(codec=HeatmapCodec(sigma=1.0)),
    repeats=REPEATS,
)
