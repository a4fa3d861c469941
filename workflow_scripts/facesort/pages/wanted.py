"""What a run of all makes of a config: the files that the summary and the report look back on.

Imported by the Snakefile, which every job parses: nothing slow is imported here.
"""

from typing import Any

from facesort.common.config import POOLS, is_demo, is_labelled
from facesort.common.other_sets import other_sets
from facesort.train.cells import cells, chosen, left_out
from facesort.train.models import MODELS

Config = dict[str, Any]


def data_words(config: Config) -> str:
    """What the tables say they were made from."""
    named = [config["data"][key] for key in (*POOLS, "labelled")]
    words = " and ".join(path for path in named if path) or "rendered demo faces"
    if config["split"]["from"] == "data":
        words += ", the set's own split"
    words += ", {size}x{size} pixels".format(**config["faces"])
    if config["faces"]["train_joins_pool"]:
        words += ", the training part's faces joining the pool without their labels"
    return words


def few_labels_files(config: Config) -> list[str]:
    """Tables and figures of the trials with few labels, if the config asks for any."""
    names = ("few_labels.csv", "few_labels.md", "figures/few_labels.png", "figures/label_first.png")
    asked = config["few_labels"]["per_emotion"] and is_labelled(config)
    return [f"results/{name}" for name in names if asked]


def elsewhere_files(config: Config) -> list[str]:
    """Table and figure of the sets that are only scored on, if the config names any."""
    names = ("elsewhere.csv", "elsewhere.md", "figures/elsewhere.png")
    return [f"results/{name}" for name in names if config["data"]["also_score"]]


def audit_files(config: Config) -> list[str]:
    """Of groups of people, if the config names a table of them; of rendered pairs, if any."""
    names = []
    if config["audit"]["groups"]:
        # The counts too: they are read first, and gone if the table could not be read.
        names += ["audit/groups.csv", "audit.csv", "audit.md", "figures/audit.png"]
    if config["audit"]["pairs"]:
        names += ["counterfactual.csv", "counterfactual.md", "counterfactual.html"]
    return [f"results/{name}" for name in names]


def data_sheets(config: Config) -> list[str]:
    """The data sheets of a run's sets: pool, labelled faces, sets that are only scored on."""
    names = ["pool"] + ["labelled"] * is_labelled(config)
    names += [f"elsewhere/{name}" for name in other_sets(config)]
    return [f"results/data_sheets/{name}.md" for name in names]


def unscored_words(config: Config) -> str:
    """Why nothing is scored, and what is left out; empty if there are labelled faces."""
    if is_labelled(config):
        return ""
    words = "Nothing was scored: the config names no labelled faces (data.labelled)."
    out = left_out(config) + ["few_labels"] * bool(config["few_labels"]["per_emotion"])
    return words + (f" Left out, for want of labelled faces: {', '.join(out)}." if out else "")


def texts(config: Config) -> list[str]:
    """The tables for reading, in the order of reading; without labels the audit alone, if any."""
    names = ["table1", "causes", "table2", "ensembles"]
    names += ["triplets"] if "triplet" in chosen(config) else []
    files = [f"results/{name}.md" for name in names if is_labelled(config)]
    others = elsewhere_files(config) + few_labels_files(config) + audit_files(config)
    return files + [path for path in others if path.endswith(".md")]


def wanted(config: Config) -> list[str]:
    """All tables, figures and pages of a run, but for those that look back on them."""
    models = chosen(config)
    files = [*data_sheets(config), "results/data_sheets.html"]
    files += ["results/agreement.csv", "results/fetch/losses.csv", "results/figures/losses.png"]
    if is_labelled(config):
        files += ["results/table1.csv", "results/figures/confusion.png"]
        others = elsewhere_files(config) + few_labels_files(config)
        files += dict.fromkeys([*texts(config), *others])
    files += [path for path in audit_files(config) if path not in files]
    if is_demo(config):
        files.append("results/demo/contact_sheet.png")
    if any(config["models"][model].get("phases") for model in models):
        files.append("results/figures/history.png")
    for model in models:
        # What sees landmarks or movements learns at once, and has no layers.
        if MODELS[model].view not in ("landmarks", "movements"):
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
