"""Semi-supervised classifier (4.3).

A convolutional autoencoder with 128 to 512 filters learns from all unlabelled images: binary
cross-entropy, Adamax 0.0001, 5 epochs. Then its encoder is frozen, and three dense layers from 256
down to 8 learn from 20% of the labelled images: categorical cross-entropy, Adam 0.00005.

The paper gives neither the middle layer's width nor the activations: ours are 64 and SELU. The
embedding is the first dense layer's output: the encoder's own has 320,000 numbers an image.
"""

from typing import Any

import torch
from torch import Tensor, nn

from facesort.common.emotions import EMOTIONS
from facesort.train.models.layers import ConvolutionalAutoencoder, start_weights


class SemiSupervised(ConvolutionalAutoencoder):
    def __init__(
        self,
        shape: tuple[int, int, int],
        filters: list[int],
        pools: list[int],
        output: str,
        dense: list[int],
    ) -> None:
        super().__init__(shape, filters, pools, output)
        first, second = dense
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(self.code_size, first), nn.SELU())
        self.head = nn.Sequential(
            nn.Linear(first, second), nn.SELU(), nn.Linear(second, len(EMOTIONS))
        )
        start_weights(self.dense)
        start_weights(self.head)

    def embed(self, x: Tensor) -> Tensor:
        with torch.no_grad():  # while the classifier learns, the encoder is frozen
            code = self.encode(x)
        embedding: Tensor = self.dense(code)
        return embedding

    def classify(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.embed(x))
        return logits

    def phase_parameters(self, phase: str) -> list[nn.Parameter]:
        parts = [self.encoder, self.decoder] if phase == "reconstruct" else [self.dense, self.head]
        return [parameter for part in parts for parameter in part.parameters()]


def build(shape: tuple[int, int, int], settings: dict[str, Any]) -> nn.Module:
    return SemiSupervised(
        shape, settings["filters"], settings["pools"], settings["output"], settings["dense"]
    )
