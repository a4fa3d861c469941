"""Pieces that several models share."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from facesort.train.sharding import sharded

# Numbers of a face between two layers, 4 MB in float32. At half of that both layouts are as fast.
LARGE_FACE = 1_000_000


def start_weights(module: nn.Module, convolutions: str = "glorot_uniform") -> nn.Module:
    """Set biases to zero and weights as Glorot and Bengio (2010), which is Keras's default.

    Args:
        module: whose dense and convolutional layers are set, with torch's global generator.
        convolutions: "glorot_uniform", or "he_uniform", made for layers before a ReLU (He et al.
            2015, https://arxiv.org/abs/1502.01852): with Glorot's, each halves the signal's
            variance.

    Raises:
        ValueError: if ``convolutions`` is neither.
    """
    if convolutions not in ("glorot_uniform", "he_uniform"):
        raise ValueError(f"initializer: {convolutions!r} is neither glorot_uniform nor he_uniform")
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            if convolutions == "he_uniform" and isinstance(layer, nn.Conv2d):
                nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            else:
                nn.init.xavier_uniform_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return module


class ReLU(nn.ReLU):
    """ReLU in place; on a CPU in bfloat16, by the sign bit instead of by torch's slow kernel.

    Bits of a bfloat16, read as an integer, have its sign; so both kernels give the same bits, and a
    step of the supervised network takes 0.78 of the time. A NaN of negative sign becomes 0: the
    dense layers above still show a broken network in the loss.
    """

    def __init__(self) -> None:
        super().__init__(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type == "cpu" and x.dtype == torch.bfloat16:
            out: Tensor = _BFloat16ReLU.apply(x)
            return out
        return super().forward(x)


class _BFloat16ReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.mark_dirty(x)
        x.view(torch.int16).clamp_min_(0)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (out,) = ctx.saved_tensors
        bits, seen = gradients[0].view(torch.int16), out.view(torch.int16)
        return torch.ops.aten.threshold_backward(bits, seen, 0).view(torch.bfloat16)


def _slow_weight_gradient(x: Tensor) -> bool:
    """Whether the weight gradient of a convolution of ``x`` is faster in the other layout.

    Without AVX-512, oneDNN's kernel for it is slow in float32 where channels are last and a face
    no longer fits the caches: 196 ms a face against 41, and 11 to change the layout (64 filters,
    200x200, one thread). Those for the answer and the input's gradient are faster channels-last.
    """
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and x.shape[1:].numel() > LARGE_FACE
        and torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
        and not torch.jit.is_tracing()
        and torch.backends.cpu.get_cpu_capability() == "AVX2"
    )


class _Convolution(torch.autograd.Function):
    """A convolution, plain or transposed, whose weight gradient is taken with channels first."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, *how: Any) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.how = how
        return torch.ops.aten.convolution(x, weight, bias, *how)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,), (x, weight) = gradients, ctx.saved_tensors
        to_x, to_weight, to_bias = ctx.needs_input_grad[:3]
        backward = torch.ops.aten.convolution_backward
        of_x = of_weight = of_bias = None
        if to_x:
            of_x = backward(gradient, x, weight, None, *ctx.how, (True, False, False))[0]
        if to_weight:
            first = (each.contiguous() for each in (gradient, x, weight))
            of_weight = backward(*first, None, *ctx.how, (False, True, False))[1]
        if to_bias:
            of_bias = gradient.sum((0, 2, 3))
        return of_x, of_weight, of_bias, *[None] * len(ctx.how)


class Conv2d(nn.Conv2d):
    """A convolution that takes its weight gradient in the faster layout."""

    def forward(self, x: Tensor) -> Tensor:
        if not _slow_weight_gradient(x):
            return super().forward(x)
        how = (self.stride, self.padding, self.dilation, False, (0, 0), self.groups)
        out: Tensor = _Convolution.apply(x, self.weight, self.bias, *how)
        return out


class ConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution that adds its bias apart.

    On CPUs torch 2.13 takes longer for the gradient of this bias than for all others of the layer
    together: 38 of 40 ms for 128 filters at 200x200 in bfloat16. The sum that it is takes 1 ms.
    Its weight gradient is taken in the faster layout, as ``Conv2d``'s.
    """

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        assert self.bias is not None and not isinstance(self.padding, str)
        if _slow_weight_gradient(x):
            how = (self.stride, self.padding, self.dilation, True, self.output_padding, self.groups)
            out: Tensor = _Convolution.apply(x, self.weight, None, *how)
        else:
            out = nn.functional.conv_transpose2d(
                x, self.weight, None, self.stride, self.padding, self.output_padding
            )
        return out.add_(self.bias[:, None, None])


class Classifier(nn.Module):
    """What classifiers share: an embedding, and a head that makes logits of it."""

    head: nn.Module

    def embed(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def classify(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.embed(x))
        return logits

    def phase_parameters(self, phase: str) -> list[nn.Parameter]:
        return list(self.parameters())


class Autoencoder(nn.Module):
    """What autoencoders share: an encoder whose flattened output is the embedding, a decoder.

    Args:
        output: activation of the last layer, "selu" or "sigmoid".
    """

    def __init__(self, output: str) -> None:
        super().__init__()
        if output not in ("selu", "sigmoid"):
            raise ValueError(f"output: {output!r} is neither selu nor sigmoid")
        self.output = output

    def encode(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def decode(self, code: Tensor) -> Tensor:
        raise NotImplementedError

    def embed(self, x: Tensor) -> Tensor:
        return self.encode(x).flatten(1)

    def reconstruct(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))

    def activate(self, last: Tensor) -> Tensor:
        """Turn the last layer's output to pixels in [0, 1]; SELU's are clipped, as Keras does."""
        if self.output == "selu":
            return torch.nn.functional.selu(last).clamp(0, 1)
        return torch.sigmoid(last)

    def reconstruction_loss(self, last: Tensor, x: Tensor) -> Tensor:
        """Binary cross-entropy, averaged over pixels, in float32.

        SELU's outputs leave [0, 1]. Keras clips them to [1e-7, 1 - 1e-7] before the logarithm; so
        does this, and a pixel outside gets no gradient, as in the paper.
        """
        if self.output == "selu":
            pixels = torch.nn.functional.selu(last.float()).clamp(1e-7, 1 - 1e-7)
            return torch.nn.functional.binary_cross_entropy(pixels, x)
        return torch.nn.functional.binary_cross_entropy_with_logits(last.float(), x)

    def phase_parameters(self, phase: str) -> list[nn.Parameter]:
        return list(self.parameters())


class ConvolutionalAutoencoder(Autoencoder):
    """Six 3x3 convolutions with SELU and three max-poolings, then the same mirrored (4.2, 4.3).

    Args:
        shape: (height, width, channels) of the input.
        filters: of the six convolutions, outermost first.
        pools: of the three max-poolings, which stand after each second convolution. Their product
            must divide height and width.
        output: activation of the last layer, "selu" or "sigmoid".

    Raises:
        ValueError: if the poolings do not divide the image.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        filters: Sequence[int],
        pools: Sequence[int],
        output: str,
    ) -> None:
        super().__init__(output)
        height, width, channels = shape
        if height % math.prod(pools) or width % math.prod(pools):
            raise ValueError(f"pools {list(pools)} do not divide an image of {height}x{width}")
        encoder: list[nn.Module] = []
        before = channels
        for number, after in enumerate(filters):
            encoder += [Conv2d(before, after, 3, padding=1), nn.SELU(inplace=True)]
            if number % 2:
                encoder.append(nn.MaxPool2d(pools[number // 2]))
            before = after
        # Each pooling is undone by the stride of a transposed convolution.
        decoder: list[nn.Module] = []
        for number in reversed(range(len(filters))):
            after = filters[number - 1] if number else channels
            stride = pools[number // 2] if number % 2 else 1
            decoder += [
                ConvTranspose2d(
                    before,
                    after,
                    3,
                    stride=stride,
                    padding=1,
                    output_padding=stride - 1,
                ),
                nn.SELU(inplace=True),
            ]
            before = after
        self.encoder = nn.Sequential(*encoder)
        # The last activation belongs to the loss (see `Autoencoder`).
        self.decoder = nn.Sequential(*decoder[:-1])
        self.code_size = filters[-1] * height * width // math.prod(pools) ** 2
        start_weights(self)

    def encode(self, x: Tensor) -> Tensor:
        return sharded(self.encoder, x)

    def reconstruct(self, x: Tensor) -> Tensor:
        return sharded(nn.Sequential(self.encoder, self.decoder), x)
