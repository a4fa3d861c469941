"""Which cells a config asks for, and what each of them reads."""

from facesort.train.cells import (
    archive_model,
    balances_groups,
    cells,
    cells_error,
    chosen,
    left_out,
    measured,
    seen,
    start_weights,
    training_megabytes,
)
from facesort.train.models import MODELS

DATA = {"fec_csv": "a.csv", "manifest": None, "faces": None, "labelled": "tree"}
CONFIG = {
    "data": DATA,
    "faces": {"size": 200},
    "variants": ["cropped", "rgb"],
    "seeds": [7, 0],
    "models": {
        "supervised": {"filters": [8]},
        "stacked": {"widths": [2000, 500]},
        "convolutional": None,
        "transfer": {"weights": "mine.pth", "view": "aligned"},
    },
}


def test_cells_stand_in_the_order_of_the_tables():
    found = [tuple(cell.values()) for cell in cells(CONFIG)]
    assert found == [
        (variant, model, seed)
        for model in ("stacked", "supervised", "transfer")
        for variant in ("cropped", "rgb")
        for seed in (7, 0)
    ]
    assert list(cells(CONFIG)[0]) == ["variant", "model", "seed"]
    order = list(MODELS)
    assert order.index("stacked") < order.index("supervised") < order.index("transfer")


def test_a_model_may_be_trained_on_the_first_variant_alone():
    first = CONFIG | {"models": CONFIG["models"] | {"action_units": {"variants": "first"}}}
    added = [cell for cell in cells(first) if cell not in cells(CONFIG)]
    assert [tuple(cell.values()) for cell in added] == [
        ("cropped", "action_units", 7),
        ("cropped", "action_units", 0),
    ]
    everywhere = CONFIG | {"models": {"action_units": {"variants": "all"}}}
    assert len(cells(everywhere)) == 4


def test_without_labelled_faces_what_needs_labels_is_left_out():
    assert chosen(CONFIG) == ["stacked", "supervised", "transfer"]
    assert left_out(CONFIG) == []
    unlabelled = CONFIG | {"data": DATA | {"labelled": None}}
    assert chosen(unlabelled) == ["stacked"]
    assert left_out(unlabelled) == ["supervised", "transfer"]
    assert {cell["model"] for cell in cells(unlabelled)} == {"stacked"}
    # It may learn without labels, and yet answers by its labelled neighbours.
    triplet = unlabelled | {"models": {"triplet": {"growth": 4}}}
    assert chosen(triplet) == [] and left_out(triplet) == ["triplet"]
    # The rendered faces are labelled.
    assert len(chosen(CONFIG | {"data": dict.fromkeys(DATA)})) == 3


def test_a_model_sees_what_its_settings_or_else_its_kind_say():
    assert seen(CONFIG, "stacked", "rgb", "pool") == "results/rgb/pool.npy"
    assert seen(CONFIG, "transfer", "rgb", "labelled") == "results/rgb/aligned/labelled.npy"
    # A model that the config leaves out can still be asked for in a target's path.
    assert seen(CONFIG, "geometry", "rgb", "pool") == "results/rgb/landmarks/pool.npy"
    moving = {"models": {"transfer": {"view": "movements"}}}
    assert seen(moving, "transfer", "rgb", "pool") == "results/rgb/movements/pool.npy"
    assert seen(CONFIG, "convolutional", "rgb", "pool") == "results/rgb/pool.npy"


def test_movements_are_measured_where_they_name_clusters_or_cost_little():
    def of(*models, **data):
        blocks = {model: CONFIG["models"].get(model) or {"any": 1} for model in models}
        return measured(CONFIG | {"models": blocks, "data": DATA | data})

    assert of("stacked", "supervised") == ["pool"] and of("supervised") == []
    # What sees landmarks, or crops made by them, has had them found for both.
    assert of("stacked", "transfer") == of("engineered_rbf") == ["pool", "labelled"]
    assert of("geometry", labelled=None) == ["pool"]
    assert of("stacked", "transfer", labelled=None) == ["pool"]


def test_only_weights_in_a_file_are_an_input():
    assert start_weights(CONFIG, "transfer") == ["mine.pth"]
    for weights in ("torchvision", "timm", "package", None):
        config = {"models": {"transfer": {"weights": weights}}}
        assert start_weights(config, "transfer") == []
    assert start_weights(CONFIG, "stacked") == start_weights(CONFIG, "convolutional") == []


def test_dense_layers_take_memory_by_their_weights():
    weights = 2 * (3 * 200**2 * 2000 + 2000 * 500)
    assert training_megabytes(CONFIG, "stacked") == 4000 + 20 * weights // 1_000_000
    assert training_megabytes(CONFIG, "supervised") == 4000


def answering(path):
    return CONFIG | {"archive": {"model": path}}


def test_the_model_that_answers_for_an_archive_brings_what_it_needs():
    path = "results/rgb/transfer/seed0/model"
    assert archive_model(answering(path)) == {
        "path": path,
        "probabilities": "results/rgb/transfer/seed0/probabilities.npy",
        "landmarks": ["results/rgb/landmarks/pool.npy"],
        "mirror": False,
        "modules": ["facesort.train.models.transfer"],
    }
    path = "results/cropped/supervised/seed7/model"
    assert archive_model(answering(path))["landmarks"] == []
    nothing = {"landmarks": [], "probabilities": [], "mirror": False, "modules": []}
    assert archive_model(answering(None)) == {"path": []} | nothing
    assert archive_model(answering("/mine")) == {"path": "/mine"} | nothing


def test_a_model_that_cannot_answer_for_an_archive_is_named():
    for path in (None, "/mine", "results/rgb/supervised/seed0/model"):
        assert cells_error(answering(path)) == ""
    said = cells_error(answering("results/rgb/stacked/seed0/model"))
    assert said.startswith("archive.model: stacked gives no probabilities")
    said = cells_error(answering("results/rgb/semi_supervised/seed0/model"))
    assert said == "archive.model: semi_supervised is not among the models of this run (models)"


def test_groups_count_alike_where_labels_are_learnt():
    phases = {"reconstruct": {}, "classify": {}}
    models = {"semi_supervised": {"phases": phases}, "stacked": {"phases": {"reconstruct": {}}}}
    models |= {"engineered_rbf": {"balance": True}}
    config = {"models": models, "training": {"balance_groups": "gender"}}
    assert [name for name in models if balances_groups(config, name)] == ["semi_supervised"]
    config["training"]["balance_groups"] = None
    assert not any(balances_groups(config, name) for name in models)
