"""U-Net of 32 features for every visible face: fine-tuned as resnet18_turned.py does.

Command   python -m train unet --data DIR --config train/configs/unet_turned.py
              --init before.onnx --pseudo turned.jsonl --mined candidates.jsonl --keep 1
              --out runs/unet-turned
Time      about an hour on one core of an AMD EPYC with avx512_bf16
Expect    see weights/unet.md, which has the steps before and after, too
"""

from train.config import Stage, TrainConfig
from train.configs.turned import RECIPE, REPEATS, TURNED
from train.models.heatmap import HeatmapCodec
from train.models.losses import LandmarkLoss

CONFIG = TrainConfig(
    model="unet",
    stages=(Stage(size=128, epochs=5, peak_lr=5e-4, sets=TURNED),),
    batch_size=32,
    weight_decay=0.05,
    recipe=RECIPE,
    loss=LandmarkLoss(codec=HeatmapCodec(sigma=1.5)),
    repeats=REPEATS,
)
