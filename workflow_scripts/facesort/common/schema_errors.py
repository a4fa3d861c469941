"""Where a config breaks its schema: a line a key, with the key or value that may have been meant.

Imported by the Snakefile, which every job parses: nothing slow is imported here.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

SCHEMA: Final = Path(__file__).resolve().parents[2] / "config.schema.yaml"
DEFAULT: Final = SCHEMA.parents[1] / "config.yaml"
BEYOND: Final = "configs/beyond.yaml"

Keys = tuple[str, ...]


@cache
def schema() -> dict[str, Any]:
    """The config's schema."""
    return _loaded(SCHEMA)


@cache
def default_config() -> dict[str, Any]:
    """What config.yaml holds; whoever changes it copies it first."""
    return _loaded(DEFAULT)


@cache
def validator() -> Any:
    """What finds where a config breaks the schema."""
    import jsonschema

    return jsonschema.Draft202012Validator(schema())


def schema_errors(config: dict[str, Any]) -> list[str]:
    """What breaks the schema, one line a key; empty if nothing does."""
    told: dict[Keys, str] = {}
    missing: dict[Keys, list[str]] = {}
    for error in sorted(validator().iter_errors(config), key=lambda e: [str(p) for p in e.path]):
        path = tuple(map(str, error.path))
        if error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            for key in map(str, error.instance):
                if key not in known:
                    told.setdefault((*path, key), _unknown(path, key, known))
        elif "propertyNames" in error.relative_schema_path:
            told[(*path, str(error.instance))] = _unknown(
                path, str(error.instance), error.validator_value
            )
        elif error.validator == "required":
            missing[path] = [key for key in error.validator_value if key not in error.instance]
        else:
            told[path] = f"{_name(path)}: {error.message}{_meant(error)}{_hint(error)}"
    for path, keys in missing.items():
        # What a row's phases lack goes without saying where its own keys are missing.
        if len(path) < 3 or path[:2] not in missing:
            told[path] = _incomplete(path, keys)
    return [told[path] for path in sorted(told)]


def nearest(word: str, known: Iterable[object], cutoff: float = 0.6) -> str:
    """The known word that is most like a word; empty if none is like it."""
    return next(iter(get_close_matches(word, map(str, known), 1, cutoff)), "")


def _unknown(path: Keys, key: str, known: Iterable[object]) -> str:
    """What to say of a key that a block does not have."""
    start = f"{_name((*path, key))}: no such key"
    if near := nearest(key, known):
        return f"{start}; did you mean {_name((*path, near))}?"
    start += f"; there are {', '.join(map(str, known))}"
    # A key of another block: of several, one as near as can be.
    if elsewhere := [each for each in _paths() if nearest(key, each[-1:], cutoff=0.8)]:
        meant = max(elsewhere, key=lambda each: _shared(each, path))
        return f"{start}; did you mean {_name(meant)}?"
    return start


def _shared(path: Keys, other: Keys) -> int:
    """How many blocks two keys have in common."""
    pairs = zip(path, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _incomplete(path: Keys, missing: list[str]) -> str:
    """What to say of a block that lacks keys; of a row's, which file has them."""
    start = f"{_name(path)}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    if path[:1] == ("models",) and path[1] not in default_config()["models"]:
        return f"{start}: {beyond_words(path[1])}"
    return start


def beyond_words(model: str) -> str:
    """How to have a row that is off by default."""
    return f"{BEYOND} has {model}'s whole block; say --configfile {BEYOND} and then your own file"


def _meant(error: Any) -> str:
    if error.validator != "enum" or not isinstance(error.instance, str):
        return ""
    near = nearest(error.instance, error.validator_value)
    return f"; did you mean {near}?" if near else ""


def _hint(error: Any) -> str:
    about = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    return f" ({about})" if about else ""


def _name(path: Keys) -> str:
    return ".".join(path) or "the top level"


@cache
def _paths() -> list[Keys]:
    """All keys that the schema knows, with the blocks that they stand in."""
    return list(_below(schema(), ()))


def _below(part: dict[str, Any], path: Keys) -> Iterator[Keys]:
    if (reference := part.get("$ref", "")).startswith("#/$defs/"):
        part = schema()["$defs"][reference.rpartition("/")[2]] | part
    named = part.get("propertyNames", {}).get("enum", part.get("properties", {}))
    for key in named:
        yield (*path, key)
        yield from _below(part["properties"][key], (*path, key))


def _loaded(path: Path) -> dict[str, Any]:
    import yaml

    loaded: dict[str, Any] = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    return loaded
