"""Transfer from a large labelled set; the paper leaves it open (6, 7).

A network of torchvision or timm, most often with weights learned on ImageNet, whose last layer
gives way to one for the eight emotions. Its input, the embedding, is as wide as the backbone makes
it. Frozen, the backbone gives features and the last layer alone learns; else all of it does
(Yosinski et al. 2014, https://arxiv.org/abs/1411.1792, compare the two).
"""

from typing import Any

import torch
from torch import Tensor, nn

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.train.models.backbones import embedding_width, make_backbone, pretrained
from facesort.train.models.layers import Classifier


class Transfer(Classifier):
    """A backbone and a dense layer.

    Args:
        name: of the backbone (``backbones.make_backbone``).
        side: of the faces in pixels.
        frozen: whether the backbone stays as it is.
        enlarge: smaller faces are enlarged to this side in pixels; None leaves them.
        dropout: of the embedding, before the last layer.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self, name: str, side: int, frozen: bool, enlarge: int | None, dropout: float
    ) -> None:
        super().__init__()
        self.name, self.frozen, self.enlarge = name, frozen, enlarge
        made = make_backbone(name)
        self.backbone, self.names = made.network, made.names
        self.register_buffer("mean", torch.tensor(made.mean).view(3, 1, 1), persistent=False)
        self.register_buffer(
            "deviation", torch.tensor(made.deviation).view(3, 1, 1), persistent=False
        )
        for layer in self.backbone.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = 0.0  # ours takes its place
        width = embedding_width(name, max(side, enlarge or 0))
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, len(EMOTIONS)))

    def embed(self, x: Tensor) -> Tensor:
        if self.enlarge and self.enlarge > x.shape[-1]:
            x = nn.functional.interpolate(
                x, (self.enlarge, self.enlarge), mode="bilinear", align_corners=False
            )
        x = (x.expand(-1, 3, -1, -1) - self.mean) / self.deviation
        learns = self.training and not self.frozen
        # A batch of one face has no statistics for batch normalisation; it uses those of before.
        self.backbone.train(learns and len(x) > 1)
        with torch.set_grad_enabled(learns):
            embedding: Tensor = self.backbone(x)
        return embedding

    def phase_parameters(self, phase: str) -> list[nn.Parameter]:
        return list((self.head if self.frozen else self).parameters())

    def start_from(self, weights: str | None) -> None:
        """Give the backbone pretrained weights, before training.

        Args:
            weights: path of a file (a state_dict, by torch or safetensors); "package" for those in
                a package; "torchvision" or "timm" for theirs; None for the random ones that it has.

        Raises:
            InputError: if they cannot be fetched, or are not this backbone's.
        """
        if weights is None:
            return
        found = pretrained(weights, self.name, self.names)
        ours = self.backbone.state_dict()
        # Files from before torch 0.4.1 do not count batches, and nothing here needs the count.
        lacking = [key for key in ours if key not in found and "num_batches_tracked" not in key]
        foreign = [key for key in found if key not in self.names]
        different = [key for key in ours if key in found and found[key].shape != ours[key].shape]
        for what, keys in (
            ("lacks", lacking),
            ("has, beyond those,", foreign),
            ("has of another shape", different),
        ):
            if keys:
                more = f" and {len(keys) - 1:,} more" if len(keys) > 1 else ""
                raise InputError(
                    f"models.transfer.weights: {weights}: not the weights of {self.name}: "
                    f"{what} {keys[0]}{more}; name a file of them, or another backbone"
                )
        self.backbone.load_state_dict(found, strict=False)


def build(shape: tuple[int, int, int], settings: dict[str, Any]) -> nn.Module:
    return Transfer(
        settings["backbone"],
        shape[0],
        settings["frozen"],
        settings["enlarge"],
        settings["dropout"],
    )
