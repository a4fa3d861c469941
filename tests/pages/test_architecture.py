"""Architecture figures tell what the models are, read off the models themselves."""

import itertools
from pathlib import Path

import pytest
import yaml
from PIL import Image

from facesort.common.config import model_settings
from facesort.common.drawing import save
from facesort.pages.architecture import MOST, blocks, fold, in_rows, plot_architecture
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


def test_equal_layers_are_drawn_once():
    supervised = model_settings(CONFIG, "supervised", "rgb")
    folded = fold(blocks(describe("supervised", SHAPE, supervised), SHAPE))
    assert [len(sequence) for sequence in folded] == [1] * 8
    assert [sequence[0]["times"] for sequence in folded] == [1, 7, 1, 7, 1, 3, 1, 1]


def looks(word):
    return [{"part": "features", "layer": letter, "shape": [8], "detail": ""} for letter in word]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("", []),
        ("abc", ["a", "b", "c"]),
        ("xabcabcabcy", ["x", "3abc", "y"]),
        ("aabaab", ["2aab"]),
        ("aaaa", ["4a"]),
        ("abababa", ["3ab", "a"]),
    ],
)
def test_sequences_are_folded_and_none_is_lost(word, expected):
    folded = fold(looks(word))
    words = ["".join(block["layer"] for block in sequence) for sequence in folded]
    times = [sequence[0]["times"] for sequence in folded]
    assert [f"{n if n > 1 else ''}{w}" for n, w in zip(times, words, strict=True)] == expected
    assert "".join(n * w for n, w in zip(times, words, strict=True)) == word


def test_layers_that_differ_in_what_is_shown_stand_apart():
    first, second = looks("aa")
    for change in ({"part": "head"}, {"shape": [4]}, {"detail": "3x3"}, {"activation": "ReLU"}):
        assert [len(sequence) for sequence in fold([first, second | change])] == [1, 1]


def test_a_long_model_goes_on_in_a_new_row_from_the_block_that_it_reads():
    word = "".join(map(chr, range(65, 65 + 2 * MOST)))
    rows = [list(itertools.chain(*row)) for row in in_rows(fold(looks(word)))]
    assert len(rows) == 3 and max(map(len, rows)) == MOST
    assert "".join(block["layer"] for row in rows for block in row if "again" not in block) == word
    for row, following in itertools.pairwise(rows):
        assert following[0] == row[-1] | {"again": True}


def test_a_classifier_upon_an_encoder_starts_from_the_code():
    settings = model_settings(CONFIG, "semi_supervised", "rgb")
    first, second = in_rows(fold(blocks(describe("semi_supervised", SHAPE, settings), SHAPE)))
    code = [b for b in itertools.chain(*first) if b["part"] == "encoder"][-1]
    assert second[0] == [code | {"again": True}]
    assert [sequence[0]["part"] for sequence in second[1:]] == ["dense", "head", "head"]


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
