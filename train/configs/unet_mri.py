"""The plain U-Net, grey 224x224 -> one 224x224 map a point, on 300-W and WFLW faces.

The targets are Gaussians of 10 px cut to 60x60 px, read as distributions: see docs/unet.md. Training starts
at low resolution, where a step costs a twelfth, and ends at full resolution.

Command   python -m train unet-mri --data DIR --workers 3 [--init unet.pt]
Time      136 seconds of training on an NVIDIA H200 (bfloat16) that two other runs shared;
          about 1 hour on two cores of an AMD EPYC with avx512_bf16, estimated from 21 images/s at 128 px,
          10 at 224 px and four times 21 at 64 px
Expect    NME 4.41 % on the validation faces, from the label box (without --init)
"""

from train.config import Stage, TrainConfig
from train.configs.landmarks import RECIPE
from train.models.heatmap import KernelCodec
from train.models.losses import LandmarkLoss

CONFIG = TrainConfig(
    model="unet-mri",
    stages=(
        Stage(size=64, epochs=20, peak_lr=1.5e-3),
        Stage(size=128, epochs=12, peak_lr=1e-3),
        Stage(size=224, epochs=6, peak_lr=5e-4),
    ),
    batch_size=32,
    weight_decay=0.05,
    recipe=RECIPE,
    # The maps weigh most: for the points alone, two peaks with the right mean would be as good as one.
    loss=LandmarkLoss(map_weight=10.0, codec=KernelCodec(sigma_px=10, kernel_px=60)),
)
