"""Transfer from a large labelled set; the paper leaves it open (6, 7).

A network of torchvision, most often with weights learned on ImageNet, whose last dense layer gives
way to one for the eight emotions. Its input, the embedding, is as wide as the backbone makes it.
Frozen, the backbone gives features and the last layer alone learns; else all of it does
(Yosinski et al. 2014, https://arxiv.org/abs/1411.1792, compare the two).
"""

from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Any

import torch
import torchvision
from safetensors.torch import load_file
from torch import Tensor, nn

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.train.models.layers import Classifier

# Of ImageNet's pictures, in torchvision's recipes.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Transfer(Classifier):
    """A backbone and a dense layer.

    Args:
        name: of the backbone, as torchvision calls it.
        frozen: whether the backbone stays as it is.
        enlarge: smaller faces are enlarged to this side in pixels; None leaves them.
        dropout: of the embedding, before the last layer.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str, frozen: bool, enlarge: int | None, dropout: float) -> None:
        super().__init__()
        self.name, self.frozen, self.enlarge = name, frozen, enlarge
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(3, 1, 1), persistent=False)
        self.backbone = torchvision.models.get_model(name, weights=None)
        layers = list(self.backbone.named_modules())
        for _, layer in layers:
            if isinstance(layer, nn.Dropout):
                layer.p = 0.0  # ours takes its place
        self.replaced, last = layers[-1]
        assert isinstance(last, nn.Linear)
        self.backbone.set_submodule(self.replaced, nn.Identity())
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(last.in_features, len(EMOTIONS)))

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
            weights: path of a file (a state_dict, by torch or safetensors), "torchvision", or None
                for the random ones that it has.

        Raises:
            InputError: if they cannot be had, or are not this backbone's.
        """
        if weights is None:
            return
        found = download(self.name) if weights == "torchvision" else read_weights(weights)
        ours = self.backbone.state_dict()
        # Files from before torch 0.4.1 do not count batches, and nothing here needs the count.
        lacking = [key for key in ours if key not in found and "num_batches_tracked" not in key]
        foreign = [key for key in found if key not in ours and not self._is_replaced(key)]
        different = [key for key in ours if key in found and found[key].shape != ours[key].shape]
        for what, keys in (
            ("lacks", lacking),
            ("has, beyond those,", foreign),
            ("has of another shape", different),
        ):
            if keys:
                more = f" and {len(keys) - 1:,} more" if len(keys) > 1 else ""
                raise InputError(
                    f"models.transfer.weights: {weights}: not the weights of torchvision's "
                    f"{self.name}: {what} {keys[0]}{more}; name a file of them, or another backbone"
                )
        self.backbone.load_state_dict(found, strict=False)

    def _is_replaced(self, key: str) -> bool:
        return key in (f"{self.replaced}.weight", f"{self.replaced}.bias")


def read_weights(path: str) -> dict[str, Tensor]:
    """A file's tensors by name. Nothing in the file is ever run as code.

    Raises:
        InputError: if it cannot be read, or holds anything else.
    """
    try:
        if Path(path).suffix == ".safetensors":
            found: Any = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
        if all(isinstance(each, Tensor) for each in found.values()):
            return dict(found)
        reason = "it holds more than tensors by name"
    except OSError as error:
        reason = str(error)
    except MemoryError:
        raise
    except Exception:  # torch's own words on this advise to run what the file holds
        reason = "it is damaged, or of another kind"
    raise InputError(
        f"models.transfer.weights: {path}: not a readable state_dict ({reason}); write one with "
        "torch.save(network.state_dict(), path), or with safetensors"
    )


def download(name: str) -> dict[str, Tensor]:
    """torchvision's best weights of a network: from its cache, else from the Internet.

    Raises:
        InputError: if neither has them.
    """
    best = torchvision.models.get_model_weights(name).DEFAULT
    try:
        found: dict[str, Tensor] = best.get_state_dict(
            progress=False, check_hash=True, weights_only=True, map_location="cpu"
        )
        return found
    except (OSError, RuntimeError, HTTPException) as error:  # the last: cut off on its way
        reason = (str(error).splitlines() or [type(error).__name__])[0]
    except MemoryError:
        raise
    except Exception:  # torch's own words on this advise to run what the file holds
        copy = Path(torch.hub.get_dir(), "checkpoints", PurePosixPath(best.url).name)
        reason = f"{copy} is damaged; delete this file"
    raise InputError(
        f"models.transfer.weights: torchvision's weights of {name} cannot be had ({reason}); "
        f"fetch {best.url} where there is a network, and name that file"
    )


def build(shape: tuple[int, int, int], settings: dict[str, Any]) -> nn.Module:
    return Transfer(
        settings["backbone"], settings["frozen"], settings["enlarge"], settings["dropout"]
    )
