"""What a run of all makes of a config."""

from copy import deepcopy

import yaml
from small_run import BEYOND, ROOT

from facesort.common.config import is_demo
from facesort.pages.wanted import (
    audit_files,
    data_sheets,
    data_words,
    elsewhere_files,
    few_labels_files,
    texts,
    unscored_words,
    wanted,
)

DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))


def changed(**blocks):
    """The default config with some keys of its blocks changed."""
    config = deepcopy(DEFAULT)
    return config | {name: config[name] | block for name, block in blocks.items()}


def test_faces_are_rendered_unless_the_config_names_some():
    assert is_demo(DEFAULT)
    assert not is_demo(changed(data={"fec_csv": "a.csv"}))
    assert not is_demo(changed(data={"manifest": "a.csv"}))
    assert not is_demo(changed(data={"faces": "pile"}))
    assert "results/demo/contact_sheet.png" in wanted(DEFAULT)
    assert "results/demo/contact_sheet.png" not in wanted(changed(data={"fec_csv": "a.csv"}))


def test_tables_say_what_they_were_made_from():
    assert data_words(DEFAULT) == "rendered demo faces, 48x48 pixels"
    data = {"fec_csv": "a.csv", "labelled": "tree"}
    words = data_words(changed(data=data, faces={"size": 64, "train_joins_pool": True}))
    assert words.startswith("a.csv and tree, 64x64 pixels, the training part's faces joining")
    words = data_words(changed(data=data, split={"from": "data"}))
    assert words == "a.csv and tree, the set's own split, 48x48 pixels"


def test_without_labelled_faces_all_is_made_but_scores():
    assert unscored_words(DEFAULT) == ""
    pile = {"data": {"faces": "pile"}, "few_labels": {"per_emotion": [10]}}
    config = changed(**pile, models=BEYOND["models"])
    words = unscored_words(config)
    assert "data.labelled" in words and "triplet, semi_supervised, supervised" in words
    assert "few_labels" in words and "stacked" not in words
    files, scored = wanted(config), wanted(changed(data=pile["data"] | {"labelled": "tree"}))
    assert texts(config) == ["results/counterfactual.md"]
    for name in ("naming.html", "map.html", "figures/clusters.png", "figures/embedding.png"):
        assert f"results/rgb/convolutional/seed0/{name}" in files
    assert {"results/fetch/losses.csv", "results/agreement.csv"} <= set(files)
    assert data_sheets(config) == ["results/data_sheets/pool.md"]
    sheets = {"results/data_sheets/pool.md", "results/data_sheets/labelled.md"}
    assert sheets | {"results/data_sheets.html"} <= set(scored)
    for word in ("table", "causes", "ensembles", "confusion", "few_", "triplet", "/supervised/"):
        assert not any(word in path for path in files)
    assert {"results/table1.csv", "results/table1.md"} <= set(scored)
    assert len(scored) == len(set(scored))


def test_groups_are_compared_where_a_table_names_them_with_labels_or_without():
    assert "results/audit.csv" not in audit_files(DEFAULT) + wanted(DEFAULT)
    for data in ({}, {"faces": "pile"}):
        config = changed(audit={"groups": "people.csv"}, data=data)
        assert set(audit_files(config)) <= set(wanted(config))
        assert len(wanted(config)) == len(set(wanted(config)))
        assert texts(config)[-2:] == ["results/audit.md", "results/counterfactual.md"]


def test_few_labels_and_triplets_are_made_where_asked_for():
    assert few_labels_files(DEFAULT) == [] and "results/triplets.md" not in wanted(DEFAULT)
    config = changed(few_labels={"per_emotion": [10]}, models=BEYOND["models"])
    files = wanted(config)
    assert {"results/few_labels.csv", "results/triplets.md"} <= set(files)
    assert set(few_labels_files(config)) <= set(files) - set(wanted(DEFAULT))


def test_rendered_pairs_are_made_unless_the_config_asks_for_none():
    files = audit_files(DEFAULT)
    assert len(files) == 3 and all(wanted(DEFAULT).count(path) == 1 for path in files)
    none = wanted(changed(audit={"pairs": 0}))
    assert set(wanted(DEFAULT)) - set(none) == set(files)
    unlabelled = changed(data={"faces": "pile"})
    assert all(wanted(unlabelled).count(path) == 1 for path in files)


def test_other_sets_have_a_table_and_a_figure_where_the_config_names_some():
    assert elsewhere_files(DEFAULT) == []
    config = changed(data={"also_score": ["tree"]})
    own = {"results/elsewhere.csv", "results/elsewhere.md", "results/figures/elsewhere.png"}
    own |= {"results/data_sheets/elsewhere/tree.md"}
    assert set(wanted(config)) - set(wanted(DEFAULT)) == own
    assert set(texts(config)) - set(texts(DEFAULT)) == {"results/elsewhere.md"}


def test_a_cell_has_the_pages_of_its_kind_and_of_the_first_seed_alone():
    config = DEFAULT | {"seeds": [3, 0], "variants": ["rgb"]}
    files = wanted(config)
    assert len(files) == len(set(files))
    assert not any("seed0" in path for path in files)
    ends = {
        model: {
            path.split("seed3/")[1] for path in files if path.startswith(f"results/rgb/{model}/")
        }
        for model in ("stacked", "semi_supervised", "supervised")
    }
    maps = {"map.html", "figures/embedding.png"}
    assert ends["supervised"] == maps
    assert ends["semi_supervised"] == maps | {"figures/reconstructions.png"}
    assert ends["stacked"] == ends["semi_supervised"] | {"figures/clusters.png", "naming.html"}


def test_by_default_action_units_are_of_the_first_variant_alone():
    pages = {path for path in wanted(DEFAULT) if "/action_units/" in path}
    folder = "results/rgb/action_units/seed0"
    assert pages == {f"{folder}/map.html", f"{folder}/figures/embedding.png"}


def test_what_learns_at_once_has_no_layers_and_no_history():
    config = DEFAULT | {"models": {"geometry": BEYOND["models"]["geometry"]}}
    files = wanted(config)
    assert not any("architecture" in path or "history" in path for path in files)
    assert "results/figures/architecture_stacked.png" in wanted(DEFAULT)
    assert "results/figures/history.png" in wanted(DEFAULT)
