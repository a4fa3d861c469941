"""The interface's description, for other programs: openapi.yaml with this server's limits."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from facesort.archive.tables import APPARENT, LOOKS, PROBLEMS, STATES, TAGS, UNSURE
from facesort.common.emotions import EMOTIONS
from facesort.common.limits import SHORT
from facesort.serve.limits import Limits

TEMPLATE: Final = Path(__file__).with_suffix(".yaml")


@cache
def description(limits: Limits) -> dict[str, Any]:
    """OpenAPI 3.1: https://spec.openapis.org/oas/v3.1.0"""
    text = TEMPLATE.read_text(encoding="utf-8")
    told = {name: f"{value:,.0f}" for name, value in vars(limits).items()}
    told["limits_of_use"] = SHORT
    text = re.sub(r"<(\w+)>", lambda match: told[match[1]], text)
    found: dict[str, Any] = yaml.safe_load(text)
    schemas = found["components"]["schemas"]
    face = schemas["Face"]["properties"]
    face["state"]["enum"] = list(STATES)
    face["tags"]["items"]["enum"] = list(TAGS)
    face["look"]["enum"] = [*LOOKS.values(), UNSURE, ""]
    face["probabilities"]["propertyNames"] = {"enum": [*APPARENT, *EMOTIONS]}
    schemas["Photo"]["properties"]["problem"]["enum"] = ["", *PROBLEMS]
    return found
