"""The shipped U-Net: the teacher continued, on the faces that it labelled and then on labelled ones.

Command   python -m train pseudo-label --data DIR --teacher unet --weights U.safetensors --out pseudo.jsonl
          python -m train unet --data DIR --config train/configs/unet_taught.py --init U.safetensors
              --pseudo pseudo.jsonl --workers 4 --out runs/unet-taught
          (U.safetensors is the result of train/configs/unet.py)
Time      183 seconds of training on an NVIDIA H200 (bfloat16) that three other runs shared;
          about 4 h 40 on two cores of an AMD EPYC with avx512_bf16, estimated from 17 images/s
Expect    NME 3.28 % on the validation faces, from the label box
"""

from dataclasses import replace

from train.config import Stage
from train.configs import unet
from train.configs.landmarks import EVERYTHING, LABELLED

CONFIG = replace(
    unet.CONFIG,
    stages=(
        Stage(size=128, epochs=16, peak_lr=1.5e-3, sets=EVERYTHING),
        Stage(size=128, epochs=65, peak_lr=8e-4, sets=LABELLED),
    ),
)
