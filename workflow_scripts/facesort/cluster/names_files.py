"""Where persons put the names that they gave to clusters: ``names/`` beside ``results/``.

Imported by the Snakefile, which every job parses: nothing slow is imported here.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

# What a person's name may not have, since on some system no file's may, or since Snakemake would
# take it for a wildcard's: within brackets of a regular expression, as in pages/naming_page.js.
UNFIT: Final = r'<>:"/\\|?*{}\x00-\x1f\x7f'
OF_A_PERSON: Final = rf"(\.[^{UNFIT}]+)?\.csv"


def person_names(cell: dict[str, Any]) -> list[str]:
    """The file whose names count: ``names/<variant>/<model>/seed<n>.csv``, if it is there.

    Args:
        cell: its variant, model and seed.
    """
    path = "names/{variant}/{model}/seed{seed}.csv".format(**cell)
    return [path] if Path(path).is_file() else []


def names_files(cell: dict[str, Any]) -> list[str]:
    """All persons' files of a cell: seed0.csv, whose names count, then seed0.<person>.csv."""
    folder = Path("names/{variant}/{model}".format(**cell))
    name = re.compile(rf"seed{cell['seed']}{OF_A_PERSON}")
    found = (str(path) for path in folder.glob("*") if name.fullmatch(path.name))
    return sorted(found, key=lambda path: (path not in person_names(cell), path))


def misplaced_names(variants: Collection[str], models: Collection[str]) -> list[str]:
    """A warning for each CSV below ``names/`` that lies where no cell's names are looked for.

    Args:
        variants, models: all that there are, whether this run has them or not.
    """
    place = re.compile(rf"names/({'|'.join(variants)})/({'|'.join(models)})/seed\d+{OF_A_PERSON}")
    return [
        f"warning: {path} is not used: names are read from names/<variant>/<model>/seed<n>.csv, "
        "and a further person's from seed<n>.<person>.csv"
        for path in sorted(map(str, Path("names").rglob("*.csv")))
        if not place.fullmatch(path)
    ]
