"""What a run of all makes of a config: the files that the summary and the report look back on.

Imported by the Snakefile, which every job parses: nothing slow is imported here.
"""

from typing import Any

from facesort.train.cells import cells
from facesort.train.models import MODELS

Config = dict[str, Any]


def is_demo(config: Config) -> bool:
    """Whether the config names no data, so that faces are rendered."""
    return config["data"]["fec_csv"] is None and config["data"]["manifest"] is None


def data_words(config: Config) -> str:
    """What the tables say they were made from."""
    data = config["data"]
    words = f"{data['manifest'] or data['fec_csv']} and {data['labelled']}"
    words = "rendered demo faces" if is_demo(config) else words
    words += ", {size}x{size} pixels".format(**config["faces"])
    if config["faces"]["train_joins_pool"]:
        words += ", the training part's faces joining the pool without their labels"
    return words


def few_labels_files(config: Config) -> list[str]:
    """Tables and figures of the trials with few labels, if the config asks for any."""
    names = ("few_labels.csv", "few_labels.md", "figures/few_labels.png", "figures/label_first.png")
    return [f"results/{name}" for name in names if config["few_labels"]["per_emotion"]]


def wanted(config: Config) -> list[str]:
    """All tables, figures and pages of a run, but for those that look back on them."""
    models = [model for model in MODELS if config["models"].get(model)]
    files = [
        "results/table1.csv",
        "results/table1.md",
        "results/table2.md",
        "results/causes.md",
        "results/ensembles.md",
        "results/agreement.csv",
        "results/fetch/losses.csv",
        "results/figures/losses.png",
        "results/figures/confusion.png",
        *few_labels_files(config),
    ]
    if config["models"].get("triplet"):
        files.append("results/triplets.md")
    if is_demo(config):
        files.append("results/demo/contact_sheet.png")
    if any(config["models"][model].get("phases") for model in models):
        files.append("results/figures/history.png")
    for model in models:
        # What sees landmarks learns at once, and has no layers.
        if MODELS[model].view != "landmarks":
            files.append(f"results/figures/architecture_{model}.png")
    # Pictures and pages of the first seed alone; those of others can be asked for.
    for cell in cells(config):
        if cell["seed"] == config["seeds"][0]:
            kind = MODELS[cell["model"]]
            names = ["figures/embedding.png", "map.html"]
            names += ["figures/clusters.png", "naming.html"] if kind.answers == "clusters" else []
            names += ["figures/reconstructions.png"] if kind.reconstructs else []
            folder = "results/{variant}/{model}/seed{seed}".format(**cell)
            files += [f"{folder}/{name}" for name in names]
    return files
