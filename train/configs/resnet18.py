"""ResNet18, grey 128x128 -> 68 points and presence, on 300-W and WFLW training faces.

Command   git show 8300f7d:weights/resnet18.onnx > first.onnx
          python -m train resnet18 --data DIR --init first.onnx
Time      103 minutes on an AMD EPYC (AVX2, float32): 2 to 4 minutes an epoch on two or one cores
Expect    NME 3.70 % on the validation faces, from the label box
"""

from train.config import Stage, TrainConfig

CONFIG = TrainConfig(model="resnet18", stages=(Stage(size=128, epochs=32, peak_lr=1e-3),))
