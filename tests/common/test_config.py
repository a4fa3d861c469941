"""What is wrong with a config, and what a model's training sees of it."""

import re
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from snakemake.cli import parse_config
from snakemake.utils import update_config

from facesort.common.config import KNOWN_WEIGHTS, PATHS, config_errors, model_settings, settled

ROOT = Path(__file__).resolve().parents[2]


def load(path):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


DEFAULT, BEYOND = load("config.yaml"), load("configs/beyond.yaml")
# The default config with all models beyond the paper's.
WHOLE = deepcopy(DEFAULT)
update_config(WHOLE, {"models": BEYOND["models"]})


def beyond(path, value):
    """``WHOLE`` with one key of a model changed."""
    config = deepcopy(WHOLE)
    *blocks, key = path.split(".")
    place = config["models"]
    for block in blocks:
        place = place[block]
    place[key] = value
    return config


def test_the_models_beyond_the_papers_have_a_right_config():
    assert config_errors(WHOLE) == []


def test_the_configs_for_a_gpu_go_together():
    config = deepcopy(DEFAULT)
    for path in ("configs/beyond.yaml", "configs/gpu.yaml"):
        update_config(config, load(path))
    assert config_errors(config) == [] and config["models"]["transfer"]["backbone"] == "resnet18"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("transformer.heads", 5, "5 do not divide 128"),
        ("transformer.patch", 1, "1 is less than"),
        ("transfer.backbone", "vgg", "resnet18"),
        ("transfer.weights", "none.pth", "none.pth: no such file"),
        ("transfer.weights", ".", ".: no such file"),
        ("transfer.backbone", "timm/hf-hub:x", "any of timm's"),
        ("transfer.weights", "torchvision", "timm/tf_efficientnet_lite0 is a network of timm"),
        ("transfer.view", "landmarks", "faces"),
        ("transfer.phases.classify.augment.shift", 0.6, "maximum of 0.5"),
        ("transfer.phases.classify.balance", 2, "maximum of 1"),
        ("supervised.mirror", "yes", "mirror image"),
    ],
)
def test_a_wrong_key_of_theirs_is_named(path, value, words):
    errors = config_errors(beyond(path, value))
    assert len(errors) == 1
    assert errors[0].startswith(f"models.{path}: ") and words in errors[0]


@pytest.mark.parametrize(("key", "value"), [("balance", 0), ("augment", None)])
def test_only_classifying_has_options_of_its_own(key, value):
    (error,) = config_errors(beyond(f"semi_supervised.phases.reconstruct.{key}", value))
    assert error.startswith(f"models.semi_supervised.phases.reconstruct.{key}: no such key; ")
    assert error.endswith(f"did you mean models.semi_supervised.phases.classify.{key}?")


def test_random_weights_must_learn():
    config = beyond("transfer.weights", None)
    config["models"]["transfer"]["frozen"] = True
    (error,) = config_errors(config)
    assert error.startswith("models.transfer.frozen: ") and "models.transfer.weights" in error


@pytest.mark.parametrize("backbone", ["resnet18", "timm/resnet18.a1_in1k"])
def test_a_backbone_starts_from_its_librarys_weights(backbone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("torchvision", "timm", "package"):  # no folder stands for them
        (tmp_path / name).mkdir()
    wrong = []
    for weights in ("torchvision", "timm", "package", None):
        config = beyond("transfer.weights", weights)
        config["models"]["transfer"]["backbone"] = backbone
        wrong += [weights for error in config_errors(config) if f"weights: {weights}: " in error]
    assert wrong == [{"resnet18": "timm"}.get(backbone, "torchvision"), "package"]


def test_changes_may_be_turned_off():
    assert config_errors(beyond("transfer.phases.classify.augment", None)) == []


@pytest.mark.parametrize(("model", "key"), [("transfer", "mirror"), ("action_units", "variants")])
def test_training_does_not_see_what_is_of_no_account_to_it(model, key):
    assert key not in model_settings(WHOLE, model, "rgb")
    assert WHOLE["models"][model][key]


def blocks(**changes):
    """``WHOLE`` with some keys changed."""
    config = deepcopy(WHOLE)
    return config | {name: config[name] | block for name, block in changes.items()}


def test_a_config_without_comparisons_is_named(tmp_path):
    block = BEYOND["models"]["triplet"]
    assert config_errors(blocks()) == []
    (tmp_path / "manifest.csv").touch()
    data = {"manifest": str(tmp_path / "manifest.csv"), "labelled": str(tmp_path)}
    (error,) = config_errors(blocks(data=data))
    assert error.startswith("models.triplet: a manifest") and "fec_csv" in error
    (error,) = config_errors(blocks(models={"triplet": block | {"filters": [8] * 6}}))
    assert error.startswith("models.triplet.filters: 6 halvings leave nothing of 36 pixels")
    (error,) = config_errors(blocks(models={"triplet": block | {"agreement": 0.5}}))
    assert error.startswith("models.triplet.agreement")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({}, None),
        ({"faces": "pile"}, None),
        ({"faces": "pile", "labelled": "pile"}, None),
        ({"fec_csv": "a.csv"}, None),
        ({"manifest": "a.csv"}, None),
        ({"labelled": "pile"}, "data: labelled needs a pool; set one of fec_csv, manifest, faces"),
        ({"fec_csv": "a.csv", "faces": "pile"}, "data.faces: set one of .* not fec_csv and faces"),
        ({"fec_csv": "a.csv", "manifest": "a.csv"}, "data.manifest: set one of"),
        ({"faces": "none"}, "data.faces: none: no such file or folder"),
        ({"faces": "a.csv"}, "data.faces: a.csv: not a folder"),
    ],
)
def test_one_pool_is_named_and_labels_may_be_missing(tmp_path, monkeypatch, data, complaint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pile").mkdir()
    (tmp_path / "a.csv").touch()
    errors = config_errors(DEFAULT | {"data": DEFAULT["data"] | data})
    assert len(errors) == (complaint is not None)
    assert all(re.match(complaint, error) for error in errors)


def test_the_groups_of_an_audit_are_a_file_and_its_bands_lists_of_numbers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pile").mkdir()
    for audit, said in (
        ({"groups": "pile"}, "audit.groups: pile: a folder; name a file in it"),
        ({"groups": "no.csv"}, "audit.groups: no.csv: no such file"),
        ({"bands": {"age": 18}}, "audit.bands.age: 18 is not of type 'array'"),
        ({"columns": []}, "audit.columns: []"),
    ):
        (error,) = config_errors(DEFAULT | {"audit": DEFAULT["audit"] | audit})
        assert error.startswith(said)
    training = DEFAULT["training"] | {"balance_groups": "age"}
    (error,) = config_errors(DEFAULT | {"training": training})
    assert error.startswith("training.balance_groups: name the table of the groups too")


@pytest.mark.parametrize(
    ("data", "fetch", "complaint"),
    [
        ({"fec_csv": "pile"}, {}, "data.fec_csv: pile: a folder; name a file in it"),
        ({"manifest": "pile"}, {}, "data.manifest: pile: a folder; name a file in it"),
        ({"faces": "pile"}, {"exclude": "pile"}, "fetch.exclude: pile: a folder; name a file"),
        ({"faces": "pile"}, {"keep_photos": "a.csv"}, "fetch.keep_photos: a.csv: not a folder"),
        ({"faces": "."}, {}, "data.faces: .: it holds {here}, where this run writes its results"),
        ({"faces": "../."}, {}, "data.faces: ../.: it holds {here}, where this run writes"),
        ({"faces": "pile", "labelled": "{here}"}, {}, "data.labelled: {here}: it holds {here}"),
        ({"faces": "up"}, {}, "data.faces: up: it holds {here}, where"),
        (
            {"faces": "f\udcff"},
            {},
            "data.faces: f\udcff: Snakemake takes no name that",
        ),
    ],
)
def test_what_lies_at_a_path_is_what_its_key_asks_for(
    tmp_path, monkeypatch, data, fetch, complaint
):
    monkeypatch.chdir(tmp_path)
    for name in ("pile", "f\udcff"):
        (tmp_path / name).mkdir()
    (tmp_path / "a.csv").touch()
    (tmp_path / "up").symlink_to("..")
    data = {key: path.format(here=tmp_path) for key, path in data.items()}
    changes = {"data": DEFAULT["data"] | data, "fetch": DEFAULT["fetch"] | fetch}
    (error,) = config_errors(DEFAULT | changes)
    assert error.startswith(complaint.format(here=tmp_path))


def test_without_labelled_faces_none_can_join_the_pool(tmp_path):
    changes = {"data": {"faces": str(tmp_path)}, "faces": {"train_joins_pool": True}}
    (error,) = config_errors(blocks(**changes))
    assert error.startswith("faces.train_joins_pool: ") and "data.labelled" in error


def test_a_folder_of_faces_holds_no_comparisons(tmp_path):
    data = {"faces": str(tmp_path), "labelled": str(tmp_path)}
    (error,) = config_errors(blocks(data=data))
    assert error.startswith("models.triplet: a folder of faces (data.faces) holds no comparisons")
    # Without labelled faces the model is left out anyway.
    assert config_errors(blocks(data=data | {"labelled": None})) == []


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("layout", "imagenet", "auto, folders, affectnet"),
        ("numbers", "imagenet", "auto, affectnet, raf_db"),
        ("numbers", ["sad"], "list of emotions"),
        ("columns", {"face": "x"}, "columns.face: no such key; there are path, label, part"),
        ("unmatched", 2, "maximum of 1"),
    ],
)
def test_a_wrong_key_of_the_labelled_set_is_named(key, value, words):
    (error,) = config_errors(blocks(data={key: value}))
    assert error.startswith(f"data.{key}") and words in error


def test_the_labelled_set_is_a_folder(tmp_path):
    (tmp_path / "labels.csv").touch()
    data = {"fec_csv": str(tmp_path / "labels.csv"), "labelled": str(tmp_path / "labels.csv")}
    (error,) = config_errors(blocks(data=data))
    assert (
        error.startswith("data.labelled: ") and "if it is a table, name it in data.table" in error
    )


def given(*words):
    """The default config with what ``--config`` gives, as the rules use it."""
    config = deepcopy(DEFAULT)
    update_config(config, parse_config(words))
    return settled(config, as_module=False)


def test_a_config_that_is_right_stays_as_it_is():
    assert settled(WHOLE, as_module=False) == WHOLE


def test_lists_and_mappings_of_the_command_line_are_read_as_yaml():
    """Snakemake leaves what is in them as text."""
    config = given(
        "seeds=[1, 2]",
        "models={supervised: null, transformer: {width: 8}}",
        "faces={sample: 100, train_joins_pool: true}",
        "fetch={rate_per_host: 0.5, contact: null, exclude: ~}",
        "variants=[rgb]",
        "few_labels={per_emotion: [10, 25]}",
    )
    assert config["seeds"] == [1, 2] and config["variants"] == ["rgb"]
    assert config["models"]["supervised"] is None and config["models"]["stacked"]
    assert config["faces"] == DEFAULT["faces"] | {"sample": 100, "train_joins_pool": True}
    assert config["fetch"] == DEFAULT["fetch"] | {"rate_per_host": 0.5}
    assert config["few_labels"]["per_emotion"] == [10, 25]
    del config["models"]["transformer"]
    assert config_errors(config) == []


@pytest.mark.parametrize(
    ("words", "photos"),
    [
        ("archive=/photos", "/photos"),
        ("archive=demo", "demo"),
        ("archive=~/my photos/", "{home}/my photos"),
        ("archive=2019", "2019"),
        ("archive={photos: /photos}", "/photos"),
    ],
)
def test_a_folder_of_photographs_is_named_by_one_word(tmp_path, monkeypatch, words, photos):
    monkeypatch.setenv("HOME", str(tmp_path))
    config = given(words)
    assert config["archive"] == DEFAULT["archive"] | {"photos": photos.format(home=tmp_path)}


@pytest.mark.parametrize(
    ("photos", "complaint"),
    [
        ("demo", None),
        ("pile", None),
        ("none", "archive.photos: none: no such file or folder in"),
        ("a.csv", "archive.photos: a.csv: not a folder"),
        ("{a}", "archive.photos: {a}: Snakemake takes words in braces"),
        ("", "archive.photos: no name"),
        (".", "archive.photos: .: it holds {here}/results/archive, where results are written"),
        ("up", "archive.photos: up: it holds {here}/results/archive, where results"),
        ("results", "archive.photos: results: it holds {here}/results/archive, where"),
        ("results/archive/in", "archive.photos: results/archive/in: it lies in"),
    ],
)
def test_photographs_lie_apart_from_results(tmp_path, monkeypatch, photos, complaint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pile").mkdir()
    (tmp_path / "results/archive/in").mkdir(parents=True)
    (tmp_path / "a.csv").touch()
    (tmp_path / "up").symlink_to("..")
    errors = config_errors(DEFAULT | {"archive": DEFAULT["archive"] | {"photos": photos}})
    assert len(errors) == (complaint is not None)
    here = str(tmp_path)
    assert all(error.startswith(complaint.replace("{here}", here)) for error in errors)
    # Results may be a link into the photographs.
    (tmp_path / "results/archive/in").rmdir()
    (tmp_path / "results/archive").rmdir()
    (tmp_path / "results/archive").symlink_to(tmp_path / "pile")
    errors = config_errors(DEFAULT | {"archive": DEFAULT["archive"] | {"photos": "pile"}})
    assert len(errors) == 1 and "a photo folder is never written to" in errors[0]


def test_the_folder_of_sidecars_need_not_be_there_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").touch()
    archive = DEFAULT["archive"] | {"write": True}
    assert config_errors(DEFAULT | {"archive": archive | {"sidecars_to": "xmp"}}) == []
    errors = config_errors(DEFAULT | {"archive": archive | {"sidecars_to": "a.csv"}})
    assert errors == ["archive.sidecars_to: a.csv: not a folder"]


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        ("results/rgb/supervised/seed0/model", None),
        ("results/rgb/supervised/seed0", "archive.model: results/rgb/supervised/seed0: no such"),
        ("pile", None),
        ("", "archive.model: no name; write null for none"),
    ],
)
def test_a_cells_model_need_not_be_there_yet(tmp_path, monkeypatch, model, complaint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pile").mkdir()
    errors = config_errors(DEFAULT | {"archive": DEFAULT["archive"] | {"model": model}})
    assert len(errors) == (complaint is not None)
    assert all(error.startswith(complaint) for error in errors)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("seeds=[1, 2", "seeds: '[1, 2' is not of type 'array'"),
        ("seeds=[1, two]", "seeds.1: 'two' is not of type 'integer'"),
        ("seeds=3", "seeds: 3 is not of type 'array'"),
        ("data=mine.csv", "data: 'mine.csv' is not of type 'object'"),
        ("models={supervised: {filters: many}}", "models.supervised.filters: 'many' is not of"),
        ("training={precision: 16}", "training.precision: "),
        ("data=", "data: None is not of type 'object'"),
        ("faces={size: [1}", "faces: "),
        ("data={faces: '/f\udcff'}", "data: \"{faces: '/f\\udcff'}\" is not of type 'object'"),
        ("unknown={a: 1}", "unknown: no such key; there are data, demo, faces"),
    ],
)
def test_what_is_wrong_there_is_one_line_that_names_the_key(words, said):
    (error,) = config_errors(given(words))
    assert error.startswith(said) and len(error.splitlines()) == 1


def test_a_module_stands_over_the_default_config(tmp_path, monkeypatch):
    """Which Snakemake reads only where this workflow is the main one."""
    assert settled({}, as_module=True) == DEFAULT
    monkeypatch.chdir(tmp_path)
    mine = {"seeds": [7], "models": {"supervised": None}, "data": {"labelled": "tree"}}
    config = settled(mine, as_module=True)
    assert config["seeds"] == [7] and config["models"] == DEFAULT["models"] | mine["models"]
    # A module's prefix goes before relative paths.
    assert config["data"]["labelled"] == str(tmp_path / "tree")
    assert mine["data"] == {"labelled": "tree"}
    assert settled({"data": "text", "models": 3}, as_module=True)["data"] == "text"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("~/faces", "{home}/faces"),
        ("~/", "{home}"),
        ("//data//faces/", "/data/faces"),
        ("./faces/", "faces"),
        ("a/../faces", "a/../faces"),
        ("/data/fa ces", "/data/fa ces"),
        ("~nobody of that name/faces", "~nobody of that name/faces"),
    ],
)
def test_paths_are_read_as_a_shell_reads_them(tmp_path, monkeypatch, written, meant):
    monkeypatch.setenv("HOME", str(tmp_path))
    for *blocks, key in PATHS:
        config = beyond("transfer.weights", None)
        place = config
        for block in blocks:
            place = place[block]
        place[key] = written
        place = settled(config, as_module=False)
        for block in blocks:
            place = place[block]
        assert place[key] == meant.format(home=tmp_path)


@pytest.mark.parametrize("weights", KNOWN_WEIGHTS)
def test_what_is_no_path_is_left_alone(weights):
    config = settled(beyond("transfer.weights", weights), as_module=True)
    assert config["models"]["transfer"]["weights"] == weights


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("none.csv", "none.csv: no such file or folder in {cwd}, where Snakemake was started"),
        ("/none.csv", "/none.csv: no such file or folder"),
        ("~nobody at all/x", "no home folder of that name is known"),
        ("leads/nowhere", "leads/nowhere: a link that leads nowhere"),
        ("round", "round: Too many levels of symbolic links"),
        ("{sample}.csv", "Snakemake takes words in braces for wildcards"),
        ("a\0b", "embedded null byte"),
        ("", "no name; write null for none"),
        ("x" * 300, "File name too long"),
        ("none\udcff.csv", "none\udcff.csv: no such file"),
    ],
)
def test_a_path_that_leads_nowhere_is_named_with_where_it_was_looked_for(
    tmp_path, monkeypatch, path, said
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leads").mkdir()
    (tmp_path / "leads/nowhere").symlink_to("/none")
    (tmp_path / "round").symlink_to("round")
    for keys in PATHS[:4]:
        data = {"labelled": str(tmp_path / "leads"), "fec_csv": __file__}
        if keys[1] in ("manifest", "faces"):
            data["fec_csv"] = None
        config = blocks(models={"triplet": None}, data=data | {keys[1]: path})
        (error,) = config_errors(config)
        assert error.startswith(f"{'.'.join(keys)}: ") and said.format(cwd=tmp_path) in error
    config = blocks(fetch={"exclude": path})
    (error,) = config_errors(config)
    assert error.startswith("fetch.exclude: ")


def only(*rows, **models):
    """The default config of a run of some rows, as the rules use it."""
    config = deepcopy(DEFAULT)
    update_config(config, {"models": models | {"only": list(rows)}})
    return settled(config, as_module=False)


def test_rows_are_picked_without_nulling_the_others():
    config = only("supervised", "stacked")
    assert config_errors(config) == []
    assert {m for m, block in config["models"].items() if block} == {"supervised", "stacked"}
    # As if the others had been left out one by one: nothing reruns for it.
    nulled = deepcopy(DEFAULT)
    nulled["models"] |= dict.fromkeys(["convolutional", "semi_supervised", "action_units"])
    assert config == nulled == settled(config, as_module=False)
    assert given("models={only: [supervised, stacked]}") == config
    assert given("models={only: null}") == DEFAULT


@pytest.mark.parametrize(
    ("rows", "models", "said"),
    [
        (["supervized"], {}, "models.only: supervized: no such row; did you mean supervised?"),
        (["xyz"], {}, "models.only: xyz: no such row; there are stacked, convolutional"),
        (["only"], {}, "models.only: only: no such row; "),
        (
            ["stacked", "transfer"],
            {},
            "models.only: transfer: it has no block: configs/bey",
        ),
        (
            ["stacked"],
            {"stacked": None},
            "models.only: stacked: it has no block: models.stacked",
        ),
        ([], {}, "models.only: [] "),
        ([3], {}, "models.only.0: 3 is not of type 'string'"),
    ],
)
def test_rows_that_cannot_be_picked_are_named(rows, models, said):
    (error,) = config_errors(only(*rows, **models))
    assert error.startswith(said) and len(error.splitlines()) == 1
