# What the rules share: the checked config, the models it asks for, and the closing words.
import sys
import time

sys.path.insert(0, str(Path(workflow.basedir) / "workflow_scripts"))

from facesort.settings import code_digest, config_errors, error_lines, model_settings
from snakemake.exceptions import WorkflowError

if wrong := config_errors(config):
    raise WorkflowError(
        "the config is not right:\n" + "\n".join(f"  {line}" for line in wrong)
    )

STARTED = time.time()
DEMO = config["data"]["fec_csv"] is None and config["data"]["manifest"] is None
# One shard is no shard: fetch_faces then does all by itself.
SHARDS = range(config["fetch"]["shards"] if config["fetch"]["shards"] > 1 else 0)
CLUSTERED = ["stacked", "convolutional"]
CLASSIFIERS = ["semi_supervised", "supervised"]
# Without what changes no result.
TRAINING = {
    key: value
    for key, value in config["training"].items()
    if key != "checkpoint_minutes"
}
AUTOENCODERS = ["stacked", "convolutional", "semi_supervised"]
MODELS = [model for model in CLUSTERED + CLASSIFIERS if config["models"].get(model)]
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


wildcard_constraints:
    variant="rgb|grayscale|cropped",
    model="|".join(CLUSTERED + CLASSIFIERS),
    seed=r"\d+",
    shard=r"\d+",


def figures(name, models):
    """A figure of every cell with the first seed, for the models that have it."""
    return expand(
        "results/{variant}/{model}/seed{seed}/figures/{name}.png",
        variant=config["variants"],
        model=[model for model in MODELS if model in models],
        seed=config["seeds"][0],
        name=name,
    )


def training_memory(wildcards):
    """Megabytes that training may take: 20 bytes a parameter, and the faces under way."""
    widths = config["models"][wildcards.model].get("widths", [])
    inputs = 3 * config["faces"]["size"] ** 2
    dense = 2 * sum(a * b for a, b in zip([inputs, *widths], widths))
    return 8000 + 20 * dense // 1_000_000


def person_names(wildcards):
    """The file of names that a person wrote for a clustering, if there is one."""
    path = "names/{variant}/{model}/seed{seed}.csv".format(**wildcards)
    return [path] if Path(path).is_file() else []


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
            f"Pictures: {folder}/figures and {folder}/<variant>/<model>/seed<n>/figures",
        ]
    )
