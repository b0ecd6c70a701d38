"""U-Net of 8 features for every visible face, last step: mostly on faces that people labelled.

Command   python -m train blend unet-light --tuned runs/unet-light-turned/unet-light.safetensors --share 0.7
              --out blended.safetensors
          python -m train unet-light --data DIR --config train/configs/unet_light_settled.py
              --init blended.safetensors --pseudo turned.jsonl --mined candidates.jsonl --keep 1
              --out runs/unet-light-settled
Time      about 10 minutes on one core of an AMD EPYC with avx512_bf16
Expect    see weights/unet-light.md
"""

from train.config import Stage, TrainConfig
from train.configs.turned import SETTLED, SETTLED_REPEATS, TURNED
from train.models.heatmap import HeatmapCodec
from train.models.losses import LandmarkLoss

CONFIG = TrainConfig(
    model="unet-light",
    stages=(Stage(size=96, epochs=8, peak_lr=7e-4, sets=TURNED),),
    batch_size=32,
    weight_decay=0.05,
    recipe=SETTLED,
    loss=LandmarkLoss(codec=HeatmapCodec(sigma=1.0)),
    repeats=SETTLED_REPEATS,
)
