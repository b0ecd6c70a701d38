"""Recipe for points of one's own: the network's own, with epochs for the number of pictures.

Command   python -m train points --data FOLDER --scheme NAME
Time      minutes: the number of samples grows with the root of the number of pictures
"""

from __future__ import annotations

import math
from dataclasses import replace

from train.config import Stage, TrainConfig
from train.configs.loading import shipped_config

NETWORKS = ("resnet18", "unet", "unet-light")
"""Networks that can be trained on points of one's own: those that judge presence, as the tracker needs it."""

_SAMPLES = 2800.0
_EPOCHS = (20, 400)
_SMALL = 1000
"""Number of pictures below which batches are small: an epoch should have several."""


def points_config(network: str, pictures: int) -> TrainConfig:
    """Return the recipe of ``network`` for this number of training ``pictures``.

    All epochs together have 2800 times the root of the number of pictures as samples: about 400 epochs of 50
    pictures, 125 of 500 and 40 of 5000. Augmentation, loss and crop size are those of the shipped recipe.
    """
    own = shipped_config(network)
    least, most = _EPOCHS
    epochs = min(max(round(_SAMPLES / math.sqrt(pictures)), least), most)
    stage = Stage(own.stages[-1].size, epochs, own.stages[-1].peak_lr / 2)
    batch_size = 16 if pictures < _SMALL else own.batch_size
    return replace(own, stages=(stage,), batch_size=batch_size)
