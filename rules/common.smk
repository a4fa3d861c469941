# What the rules share: the checked config, the cells that it asks for, and what hangs on a wildcard.
import hashlib
import json
import sys
import time

# Not workflow.basedir, which is another workflow's where that uses this one as a module.
sys.path.insert(0, str(Path(workflow.current_basedir).parent / "workflow_scripts"))

from facesort.cluster.names_files import misplaced_names, names_files, person_names
from facesort.common import data_record, display, run, warm
from facesort.common.config import config_errors, is_demo, is_labelled
from facesort.common.config import model_settings, settled
from facesort.common.digests import code_digest, packages_digest, tree_digest
from facesort.common.other_sets import other_sets
from facesort.common.trees import shown
from facesort.pages.wanted import audit_files, data_sheets, data_words
from facesort.pages.wanted import few_labels_files, texts, unscored_words, wanted
from facesort.train.cells import archive_model, cells, cells_error, chosen, seen
from facesort.train.cells import measured, start_weights, training_megabytes
from facesort.train.models import MODELS as KINDS

display.mend_output()
config = settled(config, as_module=not workflow.modifier.is_main_snakefile())
FOLDER = Path(workflow.modifier.path_modifier.modify("results"))  # or copies of it

if wrong := config_errors(config):
    # Not WorkflowError, which would say where in this file.
    raise SystemExit(
        "error: the config is not right:\n" + "\n".join(f"  {line}" for line in wrong)
    )

if wrong := (
    cells_error(config)
    or run.disk_error(FOLDER)
    or run.container_error(config, workflow)
):
    raise SystemExit(f"error: {wrong}")

STARTED = time.time()
CONFIG_DIGEST = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[
    :16
]
DEMO = is_demo(config)
# Without labelled faces nothing is scored, and no cluster gets a name but by a person.
LABELLED = is_labelled(config)
DATA = shown(data_words(config))
CELLS = cells(config)
RESULTS = wanted(config)
FEW_LABELS = few_labels_files(config)
# One shard is no shard: fetch_faces then does all by itself.
SHARDS = range(config["fetch"]["shards"] if config["fetch"]["shards"] > 1 else 0)
CLUSTERED = [name for name, kind in KINDS.items() if kind.answers == "clusters"]
CLASSIFIERS = [name for name, kind in KINDS.items() if kind.answers != "clusters"]
LAST_LAYERS = [name for name, kind in KINDS.items() if kind.answers == "classifier"]
NEIGHBOURS = [name for name, kind in KINDS.items() if kind.answers == "neighbours"]
CHOOSING = [name for name, kind in KINDS.items() if kind.chooses]
AUTOENCODERS = [name for name, kind in KINDS.items() if kind.reconstructs]
MODELS = chosen(config)
NAMED_TWICE = [
    cell for cell in CELLS if cell["model"] in CLUSTERED and len(names_files(cell)) > 1
]
# How FEC's comparisons are chosen; only with the model that learns from them.
TRIPLETS = "triplet" in MODELS and {
    key: config["models"]["triplet"][key] for key in ("agreement", "held_out")
}
# How the labelled set is read.
LAYOUT = {
    key: config["data"][key]
    for key in "label_from min_relfcs layout table columns numbers unmatched".split()
}
# Labelled sets that are only scored on, by name.
OTHERS = other_sets(config)
# Without what changes no result; the scripts find it in the config.
FETCH = {
    key: value
    for key, value in config["fetch"].items()
    if key not in ("concurrency", "per_host", "rate_per_host", "contact")
}
TRAINING = {
    key: value
    for key, value in config["training"].items()
    if key not in ("checkpoint_minutes", "balance_groups")
}


wildcard_constraints:
    variant="rgb|grayscale|cropped",
    model="|".join(KINDS),
    seed=r"\d+",
    shard=r"\d+",
    other="|".join(OTHERS) or "(?!)",
    set="|".join(["pool", "labelled", "pairs", *(f"elsewhere/{o}" for o in OTHERS)]),


def learns_from(source):
    """For ``branch``: whether a rule's model trains on a set of faces."""
    return lambda wildcards: source in KINDS[wildcards.model].learns_from


def seen_of(faces):
    """What a rule's model sees of a set of faces, in whose name may be wildcards."""
    return lambda w: seen(config, w.model, w.variant, faces.format(**w))


def megabytes(base, per_mb=0):
    """Memory of a job: a base and so much a megabyte of input, and as much again at each retry."""
    return lambda wildcards, input, attempt: attempt * int(
        base + (per_mb and per_mb * input.size_mb)  # each size is a request to S3
    )


def minutes(base, per_mb=0):
    """Time of a job: a base and so much a megabyte of input, and as much again at each retry."""
    return megabytes(base, per_mb)


def training_memory(wildcards, attempt):
    """Memory of training or applying a model, and as much again at each retry."""
    return attempt * training_megabytes(config, wildcards.model)
