"""ResNet18 for every visible face: fine-tuned on turned, covered and absent faces.

Command   python -m train resnet18 --data DIR --config train/configs/resnet18_turned.py
              --init before.onnx --pseudo turned.jsonl --mined candidates.jsonl --keep 1
              --out runs/resnet18-turned
          (python -m train turned-labels --data DIR --out turned.jsonl makes the labels)
Time      about 20 minutes on two cores of an AMD EPYC with avx512_bf16, of which other work took a part
Expect    see weights/resnet18.md, which has the steps before and after, too
"""

from train.config import Stage, TrainConfig
from train.configs.turned import RECIPE, REPEATS, TURNED

CONFIG = TrainConfig(
    model="resnet18",
    stages=(Stage(size=128, epochs=14, peak_lr=6e-4, sets=TURNED),),
    batch_size=32,
    weight_decay=0.05,
    recipe=RECIPE,
    repeats=REPEATS,
)
