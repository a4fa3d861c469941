"""Labelled sets that are only scored on: their names, and what is wrong with their entries."""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from snakemake.cli import parse_config
from snakemake.utils import update_config

from facesort.common.config import config_errors, settled
from facesort.common.other_sets import LONGEST, name_of, other_sets

DEFAULT = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "config.yaml").read_text(encoding="utf-8")
)


def scored_on(entries, **data):
    """The default config with these other sets, as the rules use it."""
    config = deepcopy(DEFAULT)
    config["data"] |= data | {"also_score": entries}
    return settled(config, as_module=False)


@pytest.fixture(autouse=True)
def sets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("raf", "colour/raf", "colour/Raf", "main", "ünïcode set", "顔"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "raf.csv").touch()
    (tmp_path / "link").symlink_to("main")
    return tmp_path


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("/data/emotions_colour", "emotions_colour"),
        ("sets/RAF-DB", "RAF-DB"),
        ("ünïcode set", "unicode_set"),
        ("a b\n..c", "a_b_c"),
        ("-rf", "rf"),
        ("pool", "pool"),
        ("顔", ""),
        ("..", ""),
        ("x" * 300, "x" * LONGEST),
        ("a\udcffb", "a_b"),
    ],
)
def test_a_folders_name_is_made_safe_for_paths(folder, name):
    assert name_of(folder) == name


def test_each_set_has_a_name_a_folder_and_settings_of_its_own():
    config = scored_on(["./raf/", {"folder": "colour", "name": "web", "layout": "table"}])
    assert config_errors(config) == []
    assert other_sets(config) == {
        "raf": {"folder": "raf", "settings": {}},
        "web": {"folder": "colour", "settings": {"layout": "table"}},
    }
    assert other_sets(scored_on([])) == {}


@pytest.mark.parametrize("name", ["raf", None, "", "raf\n"])
def test_a_name_may_be_left_out(name):
    """Snakemake leaves text of ``--config`` as it is; what is no name is read as YAML."""
    config = scored_on([{"folder": "raf", "name": name}])
    assert config_errors(config) == [] and list(other_sets(config)) == ["raf"]
    raw = deepcopy(DEFAULT)
    raw["data"]["also_score"] = [{"folder": "raf", "name": name}]
    assert (config_errors(raw) == []) == (name in ("raf", None))


def test_paths_are_read_as_those_of_other_keys(sets, monkeypatch):
    monkeypatch.setenv("HOME", str(sets))
    config = scored_on(["~/raf", {"folder": "~//colour/"}])
    assert [each["folder"] for each in other_sets(config).values()] == [
        f"{sets}/raf",
        f"{sets}/colour",
    ]
    config = deepcopy(DEFAULT)
    config["data"]["also_score"] = ["raf"]
    assert other_sets(settled(config, as_module=True))["raf"]["folder"] == f"{sets}/raf"


def test_they_may_stand_on_the_command_line():
    config = deepcopy(DEFAULT)
    words = "data={also_score: [raf, {folder: colour, min_relfcs: 0.5}]}"
    update_config(config, parse_config([words]))
    config = settled(config, as_module=False)
    assert config_errors(config) == []
    assert other_sets(config)["colour"] == {"folder": "colour", "settings": {"min_relfcs": 0.5}}


def test_the_same_settings_as_of_the_labelled_set_are_checked():
    entry = {"folder": "raf", "layout": "imagenet", "numbers": ["sad"]}
    found = config_errors(scored_on([entry]))
    assert [line.partition(": ")[0] for line in found] == [
        "data.also_score.0.layout",
        "data.also_score.0.numbers",
    ]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ("raf", "data.also_score: 'raf' is not of type 'array'"),
        (None, "data.also_score: None is not of type 'array'"),
        ({"raf": "raf"}, "data.also_score: {'raf': 'raf'} is not of type 'array'"),
        ([3], "data.also_score.0: 3 is not of type"),
        ([""], "data.also_score.0: None is not of type"),
        ([{"folder": ""}], "data.also_score.0.folder: None is not of type"),
        ([{"name": "raf"}], "data.also_score.0: folder is missing"),
        (
            [{"folder": "raf", "path": "x"}],
            "data.also_score.0.path: no such key; there are folder",
        ),
        (["none"], "data.also_score.0: none: no such file or folder in {cwd}"),
        (["raf", "{set}"], "data.also_score.1: {set}: Snakemake takes words in braces"),
        (["raf.csv"], "data.also_score.0: raf.csv: a file; name its folder"),
        (["main"], "data.also_score.0: main: the folder of data.labelled"),
        (["link"], "data.also_score.0: link: the folder of data.labelled"),
        (["raf", "colour/raf"], "data.also_score.1: colour/raf: its name, raf, is that of data.a"),
        (["raf", "colour/Raf"], "data.also_score.1: colour/Raf: its name, Raf, is that of data.a"),
        ([{"folder": "raf", "name": "../x"}], "data.also_score.0.name: '../x' does not match"),
        ([{"folder": "raf", "name": "-rf"}], "data.also_score.0.name: '-rf' does not match"),
        ([{"folder": "raf", "name": "{other}"}], "data.also_score.0.name: "),
        (["."], "data.also_score.0: .: it holds {cwd}, where this run writes its results"),
        (["顔"], "data.also_score.0: 顔: no name for results can be made of it"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_entry(sets, entries, said):
    pool = {"fec_csv": "raf.csv", "labelled": "main"}
    (error,) = config_errors(scored_on(entries, **pool))
    assert error.startswith(said.replace("{cwd}", str(sets))) and len(error.splitlines()) == 1


def test_without_labelled_faces_nothing_is_scored_anywhere():
    (error,) = config_errors(scored_on(["raf"], faces="main"))
    assert error.startswith("data.also_score: ") and "data.labelled" in error
    # The rendered faces are labelled.
    assert config_errors(scored_on(["raf"])) == []


def test_two_entries_may_read_one_folder_under_two_names():
    sure = {"folder": "raf", "name": "raf_sure", "min_relfcs": 0.8}
    assert config_errors(scored_on(["raf", sure])) == []
