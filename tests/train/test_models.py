"""The models are the paper's: sizes at 200x200, shapes, phases."""

import pytest
import torch
import yaml

from facesort.common.config import model_settings
from facesort.common.digests import SCRIPTS
from facesort.train.models import MODELS, build, layers
from facesort.train.models.layers import Conv2d, ConvTranspose2d, ReLU

ROOT = SCRIPTS.parent
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
PAPER = yaml.safe_load((ROOT / "configs" / "paper.yaml").read_text(encoding="utf-8"))


def paper_model(name, variant, shape):
    config = {"models": {name: DEFAULT["models"][name] | PAPER["models"][name]}}
    with torch.device("meta"):  # shapes alone: the weights would fill gigabytes
        return build(name, shape, model_settings(config, name, variant))


def size(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_stacked_autoencoder_has_the_papers_parameters():
    model = paper_model("stacked", "rgb", (200, 200, 3))
    assert size(model.encoder) == 242_623_800
    assert size(model) == 485_367_500


def test_supervised_network_has_the_papers_parameters():
    assert size(paper_model("supervised", "rgb", (200, 200, 3))) == 41_554_952


@pytest.mark.parametrize(
    ("variant", "shape"),
    [("rgb", (200, 200, 3)), ("grayscale", (200, 200, 1)), ("cropped", (150, 150, 3))],
)
def test_convolutional_embedding_has_80_000_numbers(variant, shape):
    model = paper_model("convolutional", variant, shape)
    x = torch.empty(1, shape[2], *shape[:2], device="meta")
    assert model.embed(x).shape == (1, 80_000)
    assert model.reconstruct(x).shape == x.shape


@pytest.mark.parametrize("name", [n for n in DEFAULT["models"] if MODELS[n].view == "faces"])
@pytest.mark.parametrize(
    ("variant", "shape"),
    [("rgb", (48, 48, 3)), ("grayscale", (48, 48, 1)), ("cropped", (36, 36, 3))],
)
def test_default_models_answer_in_the_right_shapes(name, variant, shape):
    model = build(name, shape, model_settings(DEFAULT, name, variant))
    x = torch.rand(2, shape[2], *shape[:2])
    assert model.embed(x).ndim == 2
    if hasattr(model, "reconstruct"):
        assert model.reconstruct(x).shape == x.shape
    if hasattr(model, "classify"):
        assert model.classify(x).shape == (2, 8)


def test_classifier_phase_leaves_the_encoder_frozen():
    model = build("semi_supervised", (48, 48, 3), model_settings(DEFAULT, "semi_supervised", "rgb"))
    model.classify(torch.rand(2, 3, 48, 48)).sum().backward()
    assert all(parameter.grad is None for parameter in model.encoder.parameters())
    assert all(parameter.grad is not None for parameter in model.phase_parameters("classify"))


def test_selu_outputs_are_clipped_as_keras_does():
    settings = model_settings(DEFAULT, "stacked", "rgb") | {"output": "selu"}
    model = build("stacked", (8, 8, 3), settings)
    last = torch.tensor([[-3.0, 0.5, 7.0]])
    loss = model.reconstruction_loss(last, torch.tensor([[0.0, 1.0, 1.0]]))
    middle = torch.nn.functional.selu(torch.tensor(0.5))
    assert loss.item() == pytest.approx((-torch.log(middle) / 3).item(), abs=1e-5)


@pytest.mark.parametrize(("initializer", "gain"), [("he_uniform", 6), ("glorot_uniform", 3)])
def test_start_weights_lie_within_the_published_limits(initializer, gain):
    settings = model_settings(DEFAULT, "supervised", "rgb") | {"initializer": initializer}
    layer = build("supervised", (16, 16, 3), settings).features[2]
    # He: sqrt(6 / fan in); Glorot: sqrt(6 / (fan in + fan out)), fans being equal here.
    limit = (gain / (9 * settings["filters"])) ** 0.5
    assert 0.95 * limit < layer.weight.abs().max().item() <= limit
    assert not layer.bias.any()


def test_pools_that_do_not_divide_the_image_are_refused():
    settings = model_settings(DEFAULT, "convolutional", "rgb") | {"pools": [2, 2, 2]}
    with pytest.raises(ValueError, match="do not divide"):
        build("convolutional", (150, 150, 3), settings)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_relu_gives_the_bits_of_torchs(dtype):
    """Zeros of both signs, infinities and the smallest numbers included."""
    edges = torch.tensor([0.0, -0.0, 1e-40, -1e-40, float("inf"), -float("inf"), 1.0, -1.0])
    x = torch.cat([edges.repeat(8), torch.randn(4 * 6 * 6 * 3 - 64)]).to(dtype)
    x = x.view(4, 3, 6, 6).contiguous(memory_format=torch.channels_last)
    gradient = torch.randn(x.shape).to(dtype)
    outputs, gradients = [], []
    for relu in (ReLU(), torch.nn.ReLU()):
        leaf = x.clone().requires_grad_()
        out = relu(leaf * 1)
        out.backward(gradient)
        outputs.append(out.detach())
        gradients.append(leaf.grad)
    assert torch.equal(*outputs)
    assert torch.equal(*gradients)
    assert (outputs[0] >= 0).all()
    assert (outputs[0] == 0).any()


@pytest.fixture
def in_the_other_layout(monkeypatch):
    """As on a CPU without AVX-512; faces of any size are large."""
    monkeypatch.setattr(layers, "LARGE_FACE", 0)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    taken = []
    apply = layers._Convolution.apply
    monkeypatch.setattr(layers._Convolution, "apply", lambda *a: taken.append(a) or apply(*a))
    return taken


def answers_and_gradients(layer, x):
    leaf = x.clone().requires_grad_()
    out = layer(leaf)
    out.square().sum().backward()
    return [out, leaf.grad, layer.weight.grad, layer.bias.grad]


def as_torchs(ours, theirs):
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 5, 6, 7).contiguous(memory_format=torch.channels_last)
    results = [answers_and_gradients(layer, x) for layer in (ours, theirs)]
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("stride", [1, 2])
def test_transposed_convolution_equals_torchs(stride):
    torch.manual_seed(0)
    options = {"stride": stride, "padding": 1, "output_padding": stride - 1}
    as_torchs(ConvTranspose2d(5, 4, 3, **options), torch.nn.ConvTranspose2d(5, 4, 3, **options))


@pytest.mark.parametrize(
    ("ours", "theirs", "options"),
    [
        (Conv2d, torch.nn.Conv2d, {"padding": 1}),
        (
            ConvTranspose2d,
            torch.nn.ConvTranspose2d,
            {"stride": 2, "padding": 1, "output_padding": 1},
        ),
    ],
)
def test_weight_gradients_of_the_other_layout_equal_torchs(
    in_the_other_layout, ours, theirs, options
):
    torch.manual_seed(0)
    as_torchs(ours(5, 4, 3, **options), theirs(5, 4, 3, **options))
    assert len(in_the_other_layout) == 1


def test_the_other_layout_is_for_large_faces_learnt_in_float32(in_the_other_layout, monkeypatch):
    layer, x = Conv2d(5, 4, 3), torch.randn(2, 5, 6, 7)
    layer(x)
    assert len(in_the_other_layout) == 1
    with torch.no_grad():
        layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        layer(x)
    torch.jit.trace(layer, x)
    monkeypatch.setattr(layers, "LARGE_FACE", x.shape[1:].numel())
    layer(x)
    monkeypatch.setattr(layers, "LARGE_FACE", 0)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    layer(x)
    assert len(in_the_other_layout) == 1
