"""What a config asks to train: its cells (a model on a variant with a seed), and what each reads.

Imported by the Snakefile, which every job parses: nothing slow is imported here.
"""

import re
from typing import Any, Final

from facesort.common.config import KNOWN_WEIGHTS, is_labelled
from facesort.train.models import MODELS

Config = dict[str, Any]
# Where the workflow puts a cell's model.
CELLS_MODEL: Final = re.compile(
    rf"results/(?P<variant>\w+)/(?P<model>{'|'.join(MODELS)})/seed\d+/model"
)


def chosen(config: Config) -> list[str]:
    """The models that a run trains, in the order of the tables: those that have a block.

    Without labelled faces, those alone that neither learn nor answer by labels.
    """
    asked = [model for model in MODELS if config["models"].get(model)]
    return [m for m in asked if is_labelled(config) or MODELS[m].answers == "clusters"]


def left_out(config: Config) -> list[str]:
    """The models that have a block, and cannot be trained without labelled faces."""
    return [m for m in MODELS if config["models"].get(m) and m not in chosen(config)]


def cells(config: Config) -> list[dict[str, Any]]:
    """Model, variant and seed of every cell, in the order of the tables."""
    return [
        {"variant": variant, "model": model, "seed": seed}
        for model in chosen(config)
        for variant in _variants(config, model)
        for seed in config["seeds"]
    ]


def _variants(config: Config, model: str) -> list[str]:
    """Those of the run's variants that a model is trained on: all, or the first alone."""
    first = config["models"][model].get("variants") == "first"
    return list(config["variants"][:1] if first else config["variants"])


def cells_error(config: Config) -> str:
    """What to say if nothing is left to train; else empty."""
    named = CELLS_MODEL.fullmatch(config["archive"]["model"] or "")
    if named and MODELS[named["model"]].answers != "classifier":
        return (
            f"archive.model: {named['model']} gives no probabilities of emotions; name a classifier"
        )
    if named and named["model"] not in chosen(config):
        return f"archive.model: {named['model']} is not among the models of this run (models)"
    if chosen(config):
        return ""
    return (
        "models: all that the config asks for need labelled faces, and data.labelled is null; keep "
        "stacked or convolutional, or name labelled faces"
    )


def seen(config: Config, model: str, variant: str, faces: str) -> str:
    """The array of what a model sees of the faces "pool" or "labelled"."""
    settings = config["models"].get(model) or {}
    view = settings.get("view", MODELS[model].view)
    return {
        "faces": f"results/{variant}/{faces}.npy",
        "landmarks": f"results/{variant}/landmarks/{faces}.npy",
        "movements": f"results/{variant}/movements/{faces}.npy",
        "aligned": f"results/{variant}/aligned/{faces}.npy",
    }[view]


def export_inputs(config: Config, model: str, variant: str) -> dict[str, Any]:
    """What the export of a model reads of faces, by name; an empty list of what it needs not.

    Pictures of pool and labelled faces as the files take them, landmarks where the files hold the
    mesh, strengths of movements and presence where they hold what is usual, and as ``alignment``
    the landmarks that aligned faces were put in place by.
    """
    kind = seen(config, model, variant, "pool").removeprefix(f"results/{variant}/").split("/")[0]
    meshed, of = kind in ("landmarks", "movements"), f"results/{variant}"
    pictures = f"{of}/aligned" if kind == "aligned" else of
    found = {name: f"{pictures}/{name}.npy" for name in ("pool", "labelled")}
    landmarks = {name: f"{of}/landmarks/{name}.npy" for name in found}
    return found | {
        "pool_landmarks": landmarks["pool"] if meshed else [],
        "labelled_landmarks": landmarks["labelled"] if meshed else [],
        "strengths": f"{of}/movements/pool.parquet" if kind == "movements" else [],
        "presence": f"{of}/landmarks/pool.parquet" if kind == "movements" else [],
        "alignment": landmarks["pool"] if kind == "aligned" else [],
    }


def measured(config: Config) -> list[str]:
    """The sets whose movements cost a run little: pool, labelled, or none.

    The pool's name clusters. The landmarks of both are found where a model sees more than faces.
    """
    models = chosen(config)
    if any(config["models"][m].get("view", MODELS[m].view) != "faces" for m in models):
        return ["pool", "labelled"] if is_labelled(config) else ["pool"]
    return ["pool"] if any(MODELS[m].answers == "clusters" for m in models) else []


def archive_model(config: Config) -> dict[str, Any]:
    """The model that answers for an archive, none by default.

    Returns:
        ``path`` of its folder; and, where the workflow makes it, the ``landmarks`` of its pool if
        it sees aligned faces, whether it tells the mean for a face and its ``mirror`` image, and
        its ``modules``.
    """
    path = config["archive"]["model"] or ""
    if not (match := CELLS_MODEL.fullmatch(path)):
        none: dict[str, Any] = {"landmarks": [], "probabilities": [], "modules": []}
        return none | {"path": path or [], "mirror": False}
    variant, model = match["variant"], match["model"]
    aligned = "/aligned/" in seen(config, model, variant, "pool")
    return {
        "path": path,
        "probabilities": path.removesuffix("model") + "probabilities.npy",
        "landmarks": [f"results/{variant}/landmarks/pool.npy"] if aligned else [],
        "mirror": config["models"][model].get("mirror", False),
        "modules": [f"facesort.train.models.{model}"],
    }


def start_weights(config: Config, model: str) -> list[str]:
    """The file of weights that a model starts from, if its settings name one."""
    weights = (config["models"].get(model) or {}).get("weights")
    return [] if weights in (None, *KNOWN_WEIGHTS) else [weights]


def balances_groups(config: Config, model: str) -> bool:
    """Whether groups of people are to count alike while a model learns the labels."""
    wanted = config["training"]["balance_groups"] is not None
    return wanted and "classify" in config["models"][model].get("phases", {})


def training_megabytes(config: Config, model: str) -> int:
    """Memory that training may take: 20 bytes a parameter, and the faces under way."""
    widths = config["models"][model].get("widths", [])
    inputs = 3 * config["faces"]["size"] ** 2
    dense = 2 * sum(a * b for a, b in zip([inputs, *widths], widths, strict=False))
    return 4000 + 20 * dense // 1_000_000
