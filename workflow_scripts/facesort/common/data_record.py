"""Which data ``results/`` was made from: a run on other data stops before it overwrites them.

Imported by the Snakefile, which every job parses: nothing slow is imported here.
"""

import json
import os
import shlex
from pathlib import Path
from typing import Any, Final

from facesort.common.config import POOLS

RECORD: Final = "data.json"
# What a run's data are. Settings of how they are read are the config's, and may change.
KEYS: Final = (*POOLS, "labelled", "table")
# While none of these is there, nothing has been made from data.
MADE: Final = ("sample/faces.parquet", "fetch/faces.npy", "labelled/faces.npy", "*/*/seed*/model")
# Rules of other files make what the run's data end in.
APART: Final = ("Snakefile", "demo", "archive")


def takes_data(workflow: Any) -> bool:
    """Whether a run is about to make anything from its data: not by rules of the archive alone."""
    jobs = workflow.dag.needrun_jobs()
    return any(Path(job.rule.snakefile).stem not in APART for job in jobs)


def other_data_error(results: Path, config: dict[str, Any], workflow: Any) -> str:
    """A line if ``results/`` was made from other data than a run is about to use; else empty.

    Labelled faces that come to a pool are no other data. With ``--touch`` what is there counts as
    made from the data at hand.
    """
    record = _read(results)
    if workflow.touch or record is None or not takes_data(workflow):
        return ""
    if not any(any(results.glob(path)) for path in MADE):
        return ""
    before, now = record["data"], _named(config)
    if all(_same(key, before.get(key), now[key]) for key in KEYS):
        return ""
    files = [path for path in record.get("configfiles", []) if Path(path).is_file()]
    given = list(map(str, workflow.overwrite_configfiles))
    if not any(before.values()):
        way = "the same command without data of your own"
    elif files and files != given:
        way = f"the same command with --configfile {shlex.join(files)}"
    else:
        way = "name them in the config again (data)"
    folder = results.resolve()
    return (
        f"{folder} was made from {_words(before)}, and this run would overwrite it with what it "
        f"makes from {_words(now)}. To go on with {_words(before)}: {way}. To keep both: add "
        f"--directory and another folder. To make it anew: delete {folder}/{RECORD}, and run again"
    )


def note_data(results: Path, config: dict[str, Any], workflow: Any) -> None:
    """Write down the data of a run that is about to make something from them."""
    if not takes_data(workflow):
        return
    files = [str(path) for path in workflow.overwrite_configfiles]
    record = {"data": _named(config), "configfiles": files}
    if record == _read(results):
        return
    results.mkdir(exist_ok=True)
    part = results / f".{RECORD}.part"
    text = json.dumps(record, indent=1)
    part.write_text(f"{text}\n", encoding="utf-8")
    part.replace(results / RECORD)


def _named(config: dict[str, Any]) -> dict[str, str | None]:
    return {key: config["data"][key] for key in KEYS}


def _read(results: Path) -> dict[str, Any] | None:
    """The record; None if there is none, or none that can be read."""
    try:
        record: dict[str, Any] = json.loads((results / RECORD).read_text(encoding="utf-8"))
        return record if isinstance(record["data"], dict) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _same(key: str, before: str | None, now: str | None) -> bool:
    if before == now or (before is None and key not in POOLS):
        return True
    # Another name of the same file; a table's is that within its folder.
    named = key != "table" and before is not None and now is not None
    return named and os.path.realpath(str(before)) == os.path.realpath(str(now))


def _words(data: dict[str, str | None]) -> str:
    paths = [path for key in KEYS if (path := data.get(key))]
    return " and ".join(paths) or "rendered faces"
