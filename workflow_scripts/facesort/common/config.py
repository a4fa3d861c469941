"""The config: checked against its schema, and as one model's training sees it.

Imported by the Snakefile, which every job parses: nothing slow is imported here.
"""

from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).resolve().parents[2] / "config.schema.yaml"


def model_settings(config: dict[str, Any], model: str, variant: str) -> dict[str, Any]:
    """A model's block of the config, as its training sees it: for one variant."""
    settings = dict(config["models"][model])
    for key in ("pools", "sample"):
        if isinstance(settings.get(key), dict):
            settings[key] = settings[key].get(variant)
    settings.pop("mirror", None)  # of no account before a trained model is applied
    return {"sample": None} | settings


def config_errors(config: dict[str, Any]) -> list[str]:
    """What is wrong with the config, one line a key; empty if nothing is."""
    import jsonschema
    import yaml

    schema = yaml.load(SCHEMA.read_bytes(), yaml.CSafeLoader)
    errors = []
    validator = jsonschema.Draft202012Validator(schema)
    for error in sorted(validator.iter_errors(config), key=lambda e: [str(p) for p in e.path]):
        key = ".".join(str(part) for part in error.path) or "the top level"
        hint = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
        errors.append(f"{key}: {error.message}" + (f" ({hint})" if hint else ""))
    if errors:
        return errors
    data, faces = config["data"], config["faces"]
    if data["fec_csv"] is not None and data["manifest"] is not None:
        errors.append("data.manifest: set either fec_csv or manifest")
    unlabelled = data["manifest"] if data["fec_csv"] is None else data["fec_csv"]
    if (unlabelled is None) != (data["labelled"] is None):
        errors.append(
            "data: set both fec_csv (or manifest) and labelled, or neither for the rendered faces"
        )
    for key in ("fec_csv", "manifest", "labelled"):
        if data[key] is not None and not Path(data[key]).exists():
            errors.append(f"data.{key}: {data[key]}: no such file or folder")
    allowed, forbidden = (
        {digest.lower() for digest in config["fetch"]["placeholders"][key]}
        for key in ("allow", "forbid")
    )
    errors += [
        f"fetch.placeholders: {digest} is both allowed and forbidden"
        for digest in sorted(allowed & forbidden)
    ]
    if 2 * faces["border"] >= faces["size"]:
        errors.append(f"faces.border: {faces['border']} leaves nothing of {faces['size']} pixels")
    elif not errors:
        errors += _pool_errors(config) + _triplet_errors(config)
    errors += _transfer_errors(config["models"].get("transfer"))
    if (transformer := config["models"].get("transformer")) and (
        transformer["width"] % transformer["heads"]
    ):
        errors.append(
            "models.transformer.heads: {heads} do not divide {width}".format(**transformer)
        )
    if not any(config["models"].values()):
        errors.append("models: none is left; keep at least one of the blocks")
    return errors


def _pool_errors(config: dict[str, Any]) -> list[str]:
    errors = []
    for model, settings in config["models"].items():
        for variant in config["variants"] if settings and "pools" in settings else []:
            side = config["faces"]["size"]
            if variant == "cropped":
                side -= 2 * config["faces"]["border"]
            product = 1
            for pool in settings["pools"][variant]:
                product *= pool
            if side % product:
                errors.append(
                    f"models.{model}.pools.{variant}: {settings['pools'][variant]} do not divide "
                    f"the {side} pixels of a {variant} face (faces.size, faces.border)"
                )
    return errors


def _transfer_errors(settings: dict[str, Any] | None) -> list[str]:
    if not settings:
        return []
    weights = settings["weights"]
    if weights is None and settings["frozen"]:
        return [
            "models.transfer.frozen: a backbone with random weights must learn: set false, or name "
            "a file (or torchvision) in models.transfer.weights"
        ]
    if weights not in (None, "torchvision") and not Path(weights).is_file():
        return [f"models.transfer.weights: {weights}: no such file"]
    return []


def _triplet_errors(config: dict[str, Any]) -> list[str]:
    settings = config["models"].get("triplet")
    if not settings:
        return []
    errors = []
    if config["data"]["manifest"] is not None:
        errors.append(
            "models.triplet: a manifest (data.manifest) holds no comparisons to learn from; set "
            "data.fec_csv instead, or models.triplet to null"
        )
    side = config["faces"]["size"]
    side -= 2 * config["faces"]["border"] if "cropped" in config["variants"] else 0
    if side < 2 ** len(settings["filters"]):
        errors.append(
            f"models.triplet.filters: {len(settings['filters'])} halvings leave nothing of "
            f"{side} pixels (faces.size, faces.border)"
        )
    return errors
