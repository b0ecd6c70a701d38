"""Output type of all landmark networks."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class LandmarkOutput(NamedTuple):
    """Output of a landmark network for N crops.

    ``points`` ``(N, P, 2)`` in crop sides from the crop's centre; ``presence_logit`` ``(N,)``, None for a
    network that does not predict presence; ``maps`` ``(N, P, K, K)``, the logits from which a heatmap network
    decodes its points, else None.
    """

    points: Tensor
    presence_logit: Tensor | None = None
    maps: Tensor | None = None
