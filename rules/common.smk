# What the rules share: the checked config, the models it asks for, and the closing words.
import hashlib
import json
import re
import subprocess
import sys
import time

sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))

from facesort.models import MODELS as KINDS
from facesort.settings import (
    clock_line,
    code_digest,
    config_errors,
    disk_error,
    error_lines,
    model_settings,
    packages_digest,
    read_only_error,
    tree_digest,
)
from snakemake.exceptions import WorkflowError

if wrong := config_errors(config):
    raise WorkflowError(
        "the config is not right:\n" + "\n".join(f"  {line}" for line in wrong)
    )

if wrong := disk_error(Path("results")):
    raise WorkflowError(wrong)

STARTED = time.time()
CONFIG_DIGEST = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[
    :16
]
DEMO = config["data"]["fec_csv"] is None and config["data"]["manifest"] is None
# One shard is no shard: fetch_faces then does all by itself.
SHARDS = range(config["fetch"]["shards"] if config["fetch"]["shards"] > 1 else 0)
CLUSTERED = [name for name, kind in KINDS.items() if kind.answers == "clusters"]
CLASSIFIERS = [name for name, kind in KINDS.items() if kind.answers != "clusters"]
LAST_LAYERS = [name for name, kind in KINDS.items() if kind.answers == "classifier"]
NEIGHBOURS = [name for name, kind in KINDS.items() if kind.answers == "neighbours"]
CHOOSING = [name for name, kind in KINDS.items() if kind.chooses]
AUTOENCODERS = [name for name, kind in KINDS.items() if kind.reconstructs]
MODELS = [name for name in KINDS if config["models"].get(name)]
# How FEC's comparisons are chosen; only with the model that learns from them.
TRIPLETS = config["models"].get("triplet") and {
    key: config["models"]["triplet"][key] for key in ("agreement", "held_out")
}
# Without what changes no result; the scripts find it in the config.
FETCH = {
    key: value
    for key, value in config["fetch"].items()
    if key not in ("concurrency", "per_host", "rate_per_host", "contact")
}
TRAINING = {
    key: value
    for key, value in config["training"].items()
    if key != "checkpoint_minutes"
}
CELLS = [
    {"variant": variant, "model": model, "seed": seed}
    for model in MODELS
    for variant in config["variants"]
    for seed in config["seeds"]
]
# What the tables say they were made from.
DATA = (
    "rendered demo faces"
    if DEMO
    else f"{config['data']['manifest'] or config['data']['fec_csv']} and "
    f"{config['data']['labelled']}"
) + ", {size}x{size} pixels".format(**config["faces"])
if config["faces"]["train_joins_pool"]:
    DATA += ", the training part's faces joining the pool without their labels"


wildcard_constraints:
    variant="rgb|grayscale|cropped",
    model="|".join(KINDS),
    seed=r"\d+",
    shard=r"\d+",
    set="pool|labelled",


def of_each_cell(name, models):
    """A file of every cell with the first seed, for the models that have it."""
    return expand(
        "results/{variant}/{model}/seed{seed}/{name}",
        variant=config["variants"],
        model=[model for model in MODELS if model in models],
        seed=config["seeds"][0],
        name=name,
    )


def learns_from(source):
    """For ``branch``: whether a rule's model trains on a set of faces."""
    return lambda wildcards: source in KINDS[wildcards.model].learns_from


def seen(faces):
    """What a rule's model sees of the pool or of the labelled faces."""
    paths = {
        "faces": f"results/{{variant}}/{faces}.npy",
        "landmarks": f"results/{{variant}}/landmarks/{faces}.npy",
        "aligned": f"results/{{variant}}/aligned/{faces}.npy",
    }

    def path(wildcards):
        settings = config["models"].get(wildcards.model) or {}
        view = settings.get("view", KINDS[wildcards.model].view)
        return paths[view].format(variant=wildcards.variant)

    return path


def starts_from(wildcards):
    """The file of weights that a rule's model starts from, if its settings name one."""
    weights = (config["models"].get(wildcards.model) or {}).get("weights")
    return [] if weights in (None, "torchvision") else [weights]


def megabytes(base, per_mb=0):
    """Memory of a job: a base and so much a megabyte of input, and as much again at each retry."""
    return lambda wildcards, input, attempt: attempt * int(
        base + per_mb * input.size_mb
    )


def minutes(base, per_mb=0):
    """Time of a job: a base and so much a megabyte of input, and as much again at each retry."""
    return megabytes(base, per_mb)


def training_memory(wildcards, attempt):
    """Megabytes that training may take: 20 bytes a parameter, and the faces under way."""
    widths = config["models"][wildcards.model].get("widths", [])
    inputs = 3 * config["faces"]["size"] ** 2
    dense = 2 * sum(a * b for a, b in zip([inputs, *widths], widths))
    return attempt * (4000 + 20 * dense // 1_000_000)


def person_names(wildcards):
    """The file of names that a person wrote for a clustering, if there is one."""
    path = "names/{variant}/{model}/seed{seed}.csv".format(**wildcards)
    return [path] if Path(path).is_file() else []


def names_files(cell):
    """All persons' files of a cell: seed0.csv, whose names count, and seed0.<person>.csv."""
    folder = Path("names/{variant}/{model}".format(**cell))
    name = re.compile(rf"seed{cell['seed']}(\.[\w-]+)?\.csv")
    found = (str(path) for path in folder.glob("*") if name.fullmatch(path.name))
    return sorted(found, key=lambda path: (len(Path(path).suffixes), path))


NAMED_TWICE = [
    cell for cell in CELLS if cell["model"] in CLUSTERED and len(names_files(cell)) > 1
]
FEW_LABELS = (
    [
        "results/few_labels.csv",
        "results/few_labels.md",
        "results/figures/few_labels.png",
        "results/figures/label_first.png",
    ]
    if config["few_labels"]["per_emotion"]
    else []
)
# What summary.html and report.html look back on.
RESULTS = [
    "results/table1.csv",
    "results/table1.md",
    "results/table2.md",
    "results/causes.md",
    "results/ensembles.md",
    "results/agreement.csv",
    "results/fetch/losses.csv",
    *(["results/triplets.md"] if TRIPLETS else []),
    "results/figures/losses.png",
    *(
        ["results/figures/history.png"]
        if any(config["models"][model].get("phases") for model in MODELS)
        else []
    ),
    *expand(
        "results/figures/architecture_{model}.png",
        # What sees landmarks learns at once, and has no layers.
        model=[model for model in MODELS if KINDS[model].view != "landmarks"],
    ),
    *FEW_LABELS,
    "results/figures/confusion.png",
    *(["results/demo/contact_sheet.png"] if DEMO else []),
    *of_each_cell("figures/embedding.png", MODELS),
    *of_each_cell("map.html", MODELS),
    *of_each_cell("figures/clusters.png", CLUSTERED),
    *of_each_cell("naming.html", CLUSTERED),
    *of_each_cell("figures/reconstructions.png", AUTOENCODERS),
]


def write_report():
    """Snakemake's report of a run of all, by its own command; a failure does not fail the run."""
    if "all" not in map(str, workflow.dag.targetrules):
        return
    # One file of the merged config stands for whatever files and options the run was given.
    merged = Path(".snakemake/report_config.json")
    merged.write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--report", "results/report.html"]
    command += ["--snakefile", str(workflow.main_snakefile), "--cores", "1", "--nolock"]
    command += ["--quiet", "all", "--configfile", str(merged)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        lines = done.stdout.decode(errors="replace").strip().splitlines()
        print(f"results/report.html was not made: {' '.join(lines[-3:])}")


def closing_words():
    """Table 1, and where it and the pictures lie."""
    table = Path("results/table1.md")
    if not table.is_file():
        return ""
    folder = Path("results").resolve()
    return "\n".join(
        [
            "",
            table.read_text(encoding="utf-8"),
            f"Table:    {folder}/table1.csv, and for reading {folder}/table1.md",
            f"Report:   {folder}/report.html",
            f"Cells:    {folder}/<variant>/<model>/seed<n>: map.html, naming.html, figures",
        ]
    )
