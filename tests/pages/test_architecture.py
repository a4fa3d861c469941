"""Architecture figures tell what the models are, read off the models themselves."""

from pathlib import Path

import pytest
import yaml
from PIL import Image

from facesort.common.config import model_settings
from facesort.common.drawing import save
from facesort.pages.architecture import blocks, plot_architecture
from facesort.train.models import build
from facesort.train.models.description import describe

ROOT = Path(__file__).resolve().parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
SHAPE = (48, 48, 3)
# Those that learn in epochs; `action_units` has no layers.
NETWORKS = [name for name, block in CONFIG["models"].items() if "phases" in block]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_belongs_to_one_layer(name):
    settings = model_settings(CONFIG, name, "rgb")
    layers = describe(name, SHAPE, settings)
    model = build(name, SHAPE, settings)
    assert sum(layer["parameters"] for layer in layers) == sum(
        parameter.numel() for parameter in model.parameters()
    )


def test_the_supervised_network_reads_as_the_paper_says():
    drawn = blocks(
        describe("supervised", SHAPE, model_settings(CONFIG, "supervised", "rgb")), SHAPE
    )
    kinds = [block["layer"] for block in drawn]
    seven, three = ["Conv2d"] * 7, ["Conv2d"] * 3
    pool, dense = ["MaxPool2d"], ["Linear"] * 2
    assert kinds == ["input", *seven, *pool, *seven, *pool, *three, *dense]
    assert [block["shape"] for block in drawn][-4:] == [[16, 12, 12], [16, 12, 12], [256], [8]]
    assert drawn[1]["activation"] == "ReLU" and drawn[-2]["activation"] == "SELU"
    assert drawn[-1]["activation"] == "Softmax"


@pytest.mark.parametrize("name", ["stacked", "convolutional", "semi_supervised"])
@pytest.mark.parametrize("output", ["selu", "sigmoid"])
def test_the_last_activation_of_a_decoder_is_shown(name, output):
    settings = model_settings(CONFIG, name, "rgb") | {"output": output}
    drawn = blocks(describe(name, SHAPE, settings), SHAPE)
    last = [block for block in drawn if block["part"] == "decoder"][-1]
    assert last["activation"].lower() == output


@pytest.mark.parametrize("name", NETWORKS)
def test_figures_show_every_kind_of_layer_and_cut_nothing(name, tmp_path):
    layers = describe(name, SHAPE, model_settings(CONFIG, name, "rgb"))
    save(plot_architecture(layers, SHAPE, name), tmp_path / "a.png")
    save(plot_architecture(layers, SHAPE, name), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as opened:
        image = opened.convert("RGB")
    edges = [
        image.crop(box) for box in ((0, 0, 1, image.height), (image.width - 1, 0, *image.size))
    ]
    assert all(edge.getextrema() == ((255, 255),) * 3 for edge in edges)
    assert len(image.getcolors(1 << 24)) > 50
