"""The plain ResNet18, grey 224x224 -> 136 coordinates, on 300-W and WFLW training faces, to compare with.

torchvision's network as it is, with one input channel, regresses the points; no maps, no presence.

Command   python -m train resnet18-plain --data DIR --workers 1 --out runs/resnet18-plain
              [--init resnet18-f37072fd.pth]
Time      about 20 minutes on two cores of an AMD EPYC with avx512_bf16, estimated from 46 images/s;
          30 minutes on two cores of an Intel Xeon with AMX, estimated from 15 images/s a core, busy otherwise
Expect    not measured yet; python -m train evaluate resnet18-plain --data DIR
              --weights runs/resnet18-plain/resnet18-plain.safetensors gives it
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
