"""What is said of a config that breaks its schema: which key, and what may have been meant."""

from copy import deepcopy

import pytest
from snakemake.utils import update_config

from facesort.common.schema_errors import default_config, nearest, schema_errors


def errors_of(change):
    """What is wrong with the default config after a change."""
    config = deepcopy(default_config())
    update_config(config, change)
    return schema_errors(config)


PHASES = {"classify": {"epoch": 3}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, []),
        ({"faces": {"sise": 3}}, ["faces.sise: no such key; did you mean faces.size?"]),
        ({"clusterings": {}}, ["clusterings: no such key; did you mean clustering?"]),
        ({"models": {"Supervised": {}}}, ["did you mean models.supervised?"]),
        (
            {"models": {"supervised": {"phases": PHASES}}},
            ["phases.classify.epoch: no such key; did"],
        ),
        ({"models": {"stacked": {"phases": {"reconstrukt": {}}}}}, ["phases.reconstruct?"]),
        # Known, and of another block.
        ({"sample": 100}, ["sample: no such key; there are data, demo, ", "mean faces.sample?"]),
        ({"models": {"stacked": {"mirror": True}}}, ["there are widths, output", ".mirror?"]),
        # Like nothing.
        ({"training": {"xyz": 1}}, ["training.xyz: no such key; there are batch_size, precision"]),
        ({3: 4}, ["3: no such key; there are data"]),
        ({"variants": ["gray"]}, ["variants.0: 'gray' is not one of", "; did you mean grayscale?"]),
        ({"variants": ["xyz"]}, ["variants.0: 'xyz' is not one of"]),
        ({"naming": {"method": "plural"}}, ["; did you mean plurality? (plurality: the emotion"]),
    ],
)
def test_a_wrong_key_or_word_is_one_line_with_what_may_have_been_meant(change, said):
    errors = errors_of(change)
    assert len(errors) == bool(said) and all(words in errors[0] for words in said)


def test_all_faults_are_told_at_once():
    change = {"faces": {"sise": 3, "sede": 1, "border": "x"}, "split": {"tset": 0.1}}
    said = [line.partition(":")[0] for line in errors_of(change)]
    assert said == ["faces.border", "faces.sede", "faces.sise", "split.tset"]


@pytest.mark.parametrize(
    "block",
    [
        {"weights": "mine.pth"},
        {"phases": {"classify": {"epochs": 3}}},
        {"weights": "mine.pth", "phases": {"classify": {"epochs": 3}}},
    ],
    ids=str,
)
def test_a_part_of_a_row_beyond_the_papers_tells_which_file_has_the_rest(block):
    (error,) = errors_of({"models": {"transfer": block}})
    assert error.startswith("models.transfer: backbone, ") and "are missing: " in error
    assert error.endswith("say --configfile configs/beyond.yaml and then your own file")


def test_a_row_of_config_yaml_that_was_emptied_lacks_keys():
    config = deepcopy(default_config())
    config["models"]["stacked"] = {"widths": [3], "phases": {}}
    del config["faces"]["size"]
    assert schema_errors(config) == [
        "faces: size is missing",
        "models.stacked: output is missing",
    ]


def test_nearest():
    assert nearest("sise", ["size", "border"]) == "size" and nearest("xyz", ["size", 3]) == ""
