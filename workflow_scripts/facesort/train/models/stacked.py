"""Stacked autoencoder (4.2).

Flatten; dense 2000, 1000, 500, 200 and 100, all SELU; the 100 are the embedding. Then dense 200,
500, 1000, 2000 with SELU and a dense layer of the image's size. Binary cross-entropy, Adam 0.0001,
10 epochs. The paper's last activation is SELU too; `output` chooses it or the sigmoid.
"""

import math
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from facesort.train.models.layers import Autoencoder, start_weights


class StackedAutoencoder(Autoencoder):
    def __init__(self, shape: tuple[int, int, int], widths: list[int], output: str) -> None:
        super().__init__(output)
        height, width, channels = shape
        self.image = (channels, height, width)
        sizes = [math.prod(shape), *widths]
        self.encoder = nn.Sequential(nn.Flatten(), *dense(sizes))
        # The last activation belongs to the loss (see `Autoencoder`).
        self.decoder = nn.Sequential(*dense(sizes[::-1])[:-1])
        start_weights(self)

    def encode(self, x: Tensor) -> Tensor:
        code: Tensor = self.encoder(x)
        return code

    def decode(self, code: Tensor) -> Tensor:
        image: Tensor = self.decoder(code).unflatten(1, self.image)
        return image


def dense(sizes: list[int]) -> list[nn.Module]:
    """Dense layers from each size to the next, each followed by SELU."""
    return [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.SELU())]


def build(shape: tuple[int, int, int], settings: dict[str, Any]) -> nn.Module:
    return StackedAutoencoder(shape, settings["widths"], settings["output"])
