"""Supervised network (4.4).

Rescaling (done when a batch is read); seven 3x3 convolutions with 64 filters, same padding and
ReLU; max-pool; seven more; max-pool; three more; flatten; dense 256 with SELU, whose output is the
embedding; dense 8 with softmax. Categorical cross-entropy, Adam 0.00005, 5 epochs. The paper's
start weights are Keras's (Glorot); `initializer` chooses them or He's, which are made for ReLU.
"""

from typing import Any

from torch import Tensor, nn

from facesort.common.emotions import EMOTIONS
from facesort.train.models.layers import Classifier, Conv2d, ReLU, start_weights
from facesort.train.sharding import sharded


class Supervised(Classifier):
    def __init__(
        self,
        shape: tuple[int, int, int],
        filters: int,
        blocks: list[int],
        dense: int,
        initializer: str,
    ) -> None:
        super().__init__()
        height, width, channels = shape
        layers: list[nn.Module] = []
        for number, convolutions in enumerate(blocks):
            if number:
                layers.append(nn.MaxPool2d(2))
                height, width = height // 2, width // 2
            for _ in range(convolutions):
                layers += [Conv2d(channels, filters, 3, padding=1), ReLU()]
                channels = filters
        self.features = nn.Sequential(*layers)
        self.dense = nn.Sequential(
            nn.Flatten(), nn.Linear(channels * height * width, dense), nn.SELU()
        )
        self.head = nn.Linear(dense, len(EMOTIONS))
        start_weights(self, convolutions=initializer)

    def embed(self, x: Tensor) -> Tensor:
        embedding: Tensor = self.dense(sharded(self.features, x))
        return embedding


def build(shape: tuple[int, int, int], settings: dict[str, Any]) -> nn.Module:
    return Supervised(
        shape,
        settings["filters"],
        settings["blocks"],
        settings["dense"],
        settings["initializer"],
    )
