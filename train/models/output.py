"""What every landmark network answers with."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class LandmarkOutput(NamedTuple):
    """The answer to N crops.

    ``points`` ``(N, P, 2)`` in crop sides from the crop's centre; ``presence_logit`` ``(N,)``, None of a
    network that does not judge presence; ``maps`` ``(N, P, K, K)``, the logits that a heatmap network read
    the points from, else None.
    """

    points: Tensor
    presence_logit: Tensor | None = None
    maps: Tensor | None = None
