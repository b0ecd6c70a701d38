"""The shipped ResNet18: train/configs/resnet18.py continued, with the faces that the U-Net labelled.

Command   python -m train resnet18 --data DIR --config train/configs/resnet18_taught.py --init R.safetensors
              --pseudo pseudo.jsonl --out runs/resnet18-taught
          (R.safetensors is the result of resnet18.py; unet_taught.py shows how to make pseudo.jsonl)
Time      51 minutes on one core of an AMD EPYC (AVX2, float32)
Expect    NME 3.41 % on the validation faces, from the label box
"""

from dataclasses import replace

from train.config import Stage
from train.configs import resnet18
from train.configs.landmarks import EVERYTHING

CONFIG = replace(
    resnet18.CONFIG, stages=(Stage(size=128, epochs=3, peak_lr=5e-4, sets=EVERYTHING),), batch_size=32
)
