"""ResNet18 for every visible face, last step: little by little, mostly on faces that people labelled.

Command   python -m train blend resnet18 --tuned runs/resnet18-turned/resnet18.safetensors --share 0.7
              --out blended.safetensors
          python -m train resnet18 --data DIR --config train/configs/resnet18_settled.py
              --init blended.safetensors --pseudo turned.jsonl --mined candidates.jsonl --keep 1
              --out runs/resnet18-settled
Time      about 16 minutes on one core of an AMD EPYC with avx512_bf16
Expect    see weights/resnet18.md
"""

from train.config import Stage, TrainConfig
from train.configs.turned import SETTLED, SETTLED_REPEATS, TURNED

CONFIG = TrainConfig(
    model="resnet18",
    stages=(Stage(size=128, epochs=4, peak_lr=2e-4, sets=TURNED),),
    batch_size=32,
    weight_decay=0.05,
    recipe=SETTLED,
    repeats=SETTLED_REPEATS,
)
