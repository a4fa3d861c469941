"""The config: checked against its schema, and as one model's training sees it.

Imported by the Snakefile, which every job parses: nothing slow is imported here.
"""

import os
import re
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

from facesort.common.other_sets import as_block, named_entries, other_sets_errors
from facesort.common.schema_errors import (
    beyond_words,
    default_config,
    nearest,
    schema,
    schema_errors,
    validator,
)

# Keys of ``data`` that name where the pool comes from; one of them at most.
POOLS = ("fec_csv", "manifest", "faces")
# Where the config names a person's files and folders; but for the last two, they are to be there.
PATHS = (
    ("data", "fec_csv"),
    ("data", "manifest"),
    ("data", "faces"),
    ("data", "labelled"),
    ("fetch", "exclude"),
    ("audit", "groups"),
    ("audit", "before"),
    ("models", "transfer", "weights"),
    ("archive", "photos"),
    ("archive", "model"),
    ("archive", "exclude"),
    ("fetch", "keep_photos"),
    ("archive", "sidecars_to"),
)
# Where the workflow puts a cell's files.
CELLS = re.compile(r"results/\w+/\w+/seed\d+/model")
# What `archive.photos` may be beside a path: the rendered photos.
RENDERED = "demo"

# What `models.transfer.weights` may be beside a path, and the backbones that a package has.
KNOWN_WEIGHTS = ("torchvision", "timm", "package")
PACKAGED = ("timm/tf_efficientnet_lite0",)


def model_settings(config: dict[str, Any], model: str, variant: str) -> dict[str, Any]:
    """A model's block of the config, as its training sees it: for one variant."""
    settings = dict(config["models"][model])
    for key in ("pools", "sample"):
        if isinstance(settings.get(key), dict):
            settings[key] = settings[key].get(variant)
    # Of no account to one cell's training.
    for key in ("mirror", "variants"):
        settings.pop(key, None)
    return {"sample": None} | settings


def is_demo(config: dict[str, Any]) -> bool:
    """Whether the config names no data, so that faces are rendered."""
    return all(config["data"][key] is None for key in (*POOLS, "labelled"))


def is_labelled(config: dict[str, Any]) -> bool:
    """Whether there are labelled faces, rendered or not: without any, nothing is scored."""
    return is_demo(config) or config["data"]["labelled"] is not None


def config_errors(config: dict[str, Any]) -> list[str]:
    """What is wrong with the config, one line a key; empty if nothing is."""
    if errors := schema_errors(config) or _only_errors(config["models"]):
        return errors
    data, faces = config["data"], config["faces"]
    pools = [key for key in POOLS if data[key] is not None]
    if len(pools) > 1:
        errors.append(f"data.{pools[-1]}: set one of {', '.join(POOLS)}, not {' and '.join(pools)}")
    if data["labelled"] is not None and not pools:
        errors.append(
            f"data: labelled needs a pool; set one of {', '.join(POOLS)}, or none of all for the "
            "rendered faces"
        )
    if data["also_score"] and not is_labelled(config):
        errors.append("data.also_score: without data.labelled nothing can be scored; name that too")
    errors += _path_errors(config) or other_sets_errors(config)
    # Path.is_file raises for names that are too long.
    if os.path.isfile(data["faces"] or ""):  # noqa: PTH113
        errors.append(f"data.faces: {data['faces']}: not a folder")
    errors += _archive_errors(config["archive"]["photos"])
    if os.path.isfile(config["archive"]["sidecars_to"] or ""):  # noqa: PTH113
        errors.append(f"archive.sidecars_to: {config['archive']['sidecars_to']}: not a folder")
    if faces["train_joins_pool"] and not is_labelled(config):
        errors.append(
            "faces.train_joins_pool: no labelled face can join the pool while data.labelled is null"
        )
    if os.path.isfile(config["fetch"]["keep_photos"] or ""):  # noqa: PTH113
        errors.append(f"fetch.keep_photos: {config['fetch']['keep_photos']}: not a folder")
    if os.path.isfile(data["labelled"] or ""):  # noqa: PTH113
        errors.append(
            f"data.labelled: {data['labelled']}: a file; unpack it if it is an archive, and name "
            "its folder; if it is a table, name it in data.table"
        )
    allowed, forbidden = (
        {digest.lower() for digest in config["fetch"]["placeholders"][key]}
        for key in ("allow", "forbid")
    )
    errors += [
        f"fetch.placeholders: {digest} is both allowed and forbidden"
        for digest in sorted(allowed & forbidden)
    ]
    if config["training"]["balance_groups"] is not None and config["audit"]["groups"] is None:
        errors.append("training.balance_groups: name the table of the groups too (audit.groups)")
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


def _leave_out_rows(models: Any) -> None:
    """Do what ``only`` says, if each row that it names has a block."""
    only = models.get("only", []) if isinstance(models, dict) else []
    if only is None or (isinstance(only, list) and only and all(_is_row(models, m) for m in only)):
        del models["only"]
        models |= dict.fromkeys(m for m in models if only and m not in only)


def _is_row(models: dict[str, Any], name: object) -> bool:
    return isinstance(name, str) and name != "only" and isinstance(models.get(name), dict)


def _only_errors(models: dict[str, Any]) -> list[str]:
    """What is wrong with ``models.only``, which is still there if anything is."""
    errors = []
    rows = [name for name in schema()["properties"]["models"]["properties"] if name != "only"]
    for name in models.get("only") or []:
        if name not in rows:
            near = nearest(name, rows)
            said = f"did you mean {near}?" if near else f"there are {', '.join(rows)}"
            errors.append(f"models.only: {name}: no such row; {said}")
        elif not models.get(name):
            off = name not in default_config()["models"]
            said = beyond_words(name) if off else f"models.{name} is null"
            errors.append(f"models.only: {name}: it has no block: {said}")
    return errors


def _archive_errors(photos: str | None) -> list[str]:
    if photos in (None, RENDERED) or not os.path.exists(photos):  # noqa: PTH110
        return []
    if os.path.isfile(photos):  # noqa: PTH113
        return [f"archive.photos: {photos}: not a folder"]
    results, folder = Path("results/archive").resolve(), Path(photos).resolve()
    inside = "it holds" if folder in (results, *results.parents) else ""
    inside = inside or ("it lies in" if results in folder.parents else "")
    if inside:
        return [
            f"archive.photos: {photos}: {inside} {results}, where results are written, and a "
            "photo folder is never written to; run in another folder (--directory)"
        ]
    return []


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
    weights, backbone = settings["weights"], settings["backbone"]
    library = "timm" if backbone.startswith("timm/") else "torchvision"
    if weights is None and settings["frozen"]:
        return [
            "models.transfer.frozen: a backbone with random weights must learn: set false, or name "
            f"a file (or {library}) in models.transfer.weights"
        ]
    if weights == "package" and backbone not in PACKAGED:
        return [
            f"models.transfer.weights: package: none holds weights of {backbone}, only of "
            f"{', '.join(PACKAGED)}; write {library}, null or a file's path"
        ]
    if weights in KNOWN_WEIGHTS:
        if weights in ("package", library):
            return []
        return [
            f"models.transfer.weights: {weights}: {backbone} is a network of {library}; write "
            f"{library}, null or a file's path"
        ]
    if weights is not None and Path(weights).is_dir():
        return [f"models.transfer.weights: {weights}: no such file, but a folder"]
    return []


def _triplet_errors(config: dict[str, Any]) -> list[str]:
    settings = config["models"].get("triplet")
    if not settings or not is_labelled(config):
        return []
    errors = []
    for key, what in (("manifest", "a manifest"), ("faces", "a folder of faces")):
        if config["data"][key] is not None:
            errors.append(
                f"models.triplet: {what} (data.{key}) holds no comparisons to learn from; set "
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


def settled(config: dict[str, Any], as_module: bool) -> dict[str, Any]:
    """The config as the rules use it, made of what Snakemake was given.

    Lists and mappings of ``--config``, in which Snakemake leaves numbers as text, are read as YAML
    wherever the schema wants no text. Rows that ``models.only`` leaves out become null. In paths
    ``~`` becomes the home folder, and what Snakemake warns of (``//``, ``./``, a last ``/``) goes.

    Args:
        as_module: whether another workflow uses this one as a module. Its config then stands over
            config.yaml, as one of ``--configfile`` does.
    """
    import yaml

    config = _plain(config)
    if as_module:
        config = _over(deepcopy(default_config()), config)
    # `archive=/photos` on the command line names the photos alone.
    if isinstance(config.get("archive"), str | int):
        config["archive"] = default_config()["archive"] | {"photos": str(config["archive"])}
    for error in list(validator().iter_errors(config)):
        if isinstance(error.instance, str) and error.path:
            with suppress(yaml.YAMLError, UnicodeError):
                block, key = _block(config, error.path)
                block[key] = yaml.load(error.instance, yaml.CSafeLoader)
    _leave_out_rows(config.get("models"))
    others = config["data"].get("also_score") if isinstance(config.get("data"), dict) else None
    if isinstance(others, list):
        others[:] = map(as_block, others)
    else:
        others = []
    for path in (*PATHS, *(("data", "also_score", n, "folder") for n in range(len(others)))):
        block, key = _block(config, path)
        given = block.get(key) if isinstance(block, dict) else None
        if isinstance(given, str) and given not in _words(path):
            whole = os.path.expanduser(given)  # noqa: PTH111 - pathlib's fails without a home
            whole = re.sub("^/+", "/", str(Path(whole)))
            # A module's `prefix:` goes before whatever is not absolute.
            block[key] = str(Path(whole).absolute()) if as_module else whole
    return config


def _plain(value: Any) -> Any:
    """A copy of plain dicts and lists, with None for what ``--config`` leaves as text of it."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return None if value in ("null", "~") else value


def _over(below: Any, above: Any) -> Any:
    """One config over another, key by key, as Snakemake merges them."""
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {key: _over(below.get(key), each) for key, each in above.items()}
    return above


def _words(path: Any) -> tuple[str, ...]:
    """What may stand where a path is asked for, and is none."""
    known = {"weights": KNOWN_WEIGHTS, "photos": (RENDERED,)}
    return ("", *known.get(path[-1], ()))


def _block(config: Any, path: Any) -> tuple[Any, Any]:
    """The block of the config in which a key stands, None if there is none; and the key."""
    *above, key = path
    for each in above:
        if isinstance(config, list):
            config = config[each]
        else:
            config = config.get(each) if isinstance(config, dict) else None
    return config, key


def _path_errors(config: dict[str, Any]) -> list[str]:
    """What keeps the named files from being read, a line a key."""
    errors = []
    named = {}
    for keys in PATHS[:-2]:
        block, key = _block(config, keys)
        named[".".join(keys)] = (block or {}).get(key)
    for number, (_, entry) in enumerate(named_entries(config)):
        named[f"data.also_score.{number}"] = entry["folder"]
    for key, path in named.items():
        # A cell's model is made if it is not there.
        if key == "archive.model" and CELLS.fullmatch(path or ""):
            continue
        if path is None or (path and path in _words(tuple(key.split(".")))):
            continue
        if path == "":
            errors.append(f"{key}: no name; write null for none")
        elif "{" in path or "}" in path:
            errors.append(
                f"{key}: {path}: Snakemake takes words in braces for wildcards; rename it, or name "
                "a link to it"
            )
        elif (fault := _fault(path)) or (fault := _misfit(key, path)):
            errors.append(f"{key}: {path}: {fault}")
        elif any("\udc80" <= letter <= "\udcff" for letter in path):
            errors.append(
                f"{key}: {path}: Snakemake takes no name that is not UTF-8; rename it, or name a "
                "link to it"
            )
    return errors


def _misfit(key: str, path: str) -> str:
    """Why what lies at a path cannot be what the key asks for; else empty."""
    if key.endswith((".fec_csv", ".manifest", ".exclude", ".groups", ".before")):
        return "a folder; name a file in it" if Path(path).is_dir() else ""
    here = Path.cwd()
    if key.startswith("data.") and Path(path).resolve() in (here, *here.parents):
        return (
            f"it holds {here}, where this run writes its results, which would be read as faces; "
            "run in another folder (--directory)"
        )
    return ""


def _fault(path: str) -> str:
    """Why there is no such file or folder, and where it was looked for; else empty."""
    try:
        os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        if Path(path).is_symlink():
            return "a link that leads nowhere"
        if path.startswith("~"):
            return "no such file or folder; no home folder of that name is known"
        if Path(path).is_absolute():
            return "no such file or folder"
        return (
            f"no such file or folder in {Path.cwd()}, where Snakemake was started, or its "
            "--directory"
        )
    except (OSError, ValueError) as error:  # also a byte that no name may hold
        return getattr(error, "strerror", None) or str(error)
    return ""
