"""Stacked convolutional autoencoder (4.2).

Encoder of ten layers: rescaling (done when a batch is read), six 3x3 convolutions with SELU, three
max-poolings; filters grow from 32 to 128. Decoder: six transposed convolutions with the same
filters mirrored, SELU, the last one sigmoid. The embedding is the encoder's output, flattened:
25 x 25 x 128 = 80,000 numbers for a 200x200 image.

`cropped` has other pool sizes in the paper, since 150 cannot be halved three times; ours are
3, 2 and 1, after which the map is 25 x 25 again.
"""

from typing import Any

from torch import nn

from facesort.train.models.layers import ConvolutionalAutoencoder


def build(shape: tuple[int, int, int], settings: dict[str, Any]) -> nn.Module:
    return ConvolutionalAutoencoder(
        shape, settings["filters"], settings["pools"], settings["output"]
    )
