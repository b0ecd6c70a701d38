"""The plain ResNet18, grey 224x224 -> 136 coordinates, on 300-W and WFLW training faces, to compare with.

torchvision's network as it is, with one input channel, regresses the points; no maps, no presence.

Command   python -m train resnet18-plain --data DIR --workers 1 --out runs/resnet18-plain
              [--init resnet18-f37072fd.pth]
Time      51 minutes on one core of an AMD EPYC with avx512_bf16 (17 images/s), the other one busy
Expect    6.18 % NME on the 106 validation faces; on the 554 faces of 300-W common, crops from the label,
          5.67 % (python -m train evaluate resnet18-plain --data DIR
              --weights runs/resnet18-plain/resnet18-plain.safetensors), where resnet18 has 3.07
"""

from dataclasses import replace

from train.config import Stage, TrainConfig
from train.configs.landmarks import RECIPE

CONFIG = TrainConfig(
    model="resnet18-plain",
    stages=(Stage(size=224, epochs=20, peak_lr=1e-3),),
    batch_size=32,
    recipe=replace(RECIPE, background=0),  # nothing learns from crops without a face
)
