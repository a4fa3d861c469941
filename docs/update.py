"""Write docs/config.md from the schema and the configs: ``./run python docs/update.py``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "config.md"


def load(path: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    return loaded


def config_page() -> str:
    """The page: a table of keys a block, with each config's values, and descriptions."""
    schema = load("workflow_scripts/config.schema.yaml")
    configs = [load(path) for path in ("config.yaml", "configs/paper.yaml", "configs/beyond.yaml")]
    lines = [
        "# The config",
        "",
        "Made by `docs/update.py` from `workflow_scripts/config.schema.yaml`, `config.yaml`, "
        "`configs/paper.yaml` and `configs/beyond.yaml`. A file given with `--configfile` holds "
        "only what differs.",
    ]
    for block, part in schema["properties"].items():
        lines += ["", f"## {block}", "", part["description"], ""]
        lines += ["| key | default | paper.yaml | beyond.yaml | what |", "| --- " * 5 + "|"]
        for path, about in keys(part, (block,), schema["$defs"]):
            cells = [".".join(path), *(value(config, path) for config in configs), about]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def keys(
    part: dict[str, Any], path: tuple[str, ...], defs: dict[str, Any]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Path and description of every key at which a value stands."""
    part = defs[part["$ref"].rpartition("/")[2]] | part if "$ref" in part else part
    named = part.get("propertyNames", {}).get("enum", part.get("properties", {}))
    # A number that may also be given by variant is one key.
    if "properties" not in part or "integer" in part["type"]:
        yield path, part["description"]
        return
    for key in named:
        yield from keys(part["properties"][key], (*path, key), defs)


def value(config: Any, path: tuple[str, ...]) -> str:
    """A value as YAML writes it; empty where the config has none."""
    for key in path:
        if not isinstance(config, dict) or key not in config:
            return ""
        config = config[key]
    text = yaml.safe_dump(config, default_flow_style=True, width=1000, sort_keys=False)
    return f"`{text.removesuffix(chr(10)).removesuffix('...').strip()}`"


if __name__ == "__main__":
    PAGE.write_text(config_page(), encoding="utf-8")
