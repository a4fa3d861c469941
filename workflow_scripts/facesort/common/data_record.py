"""What ``results/`` was made from: a run on other data or photos stops before it overwrites.

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
# Rules of these files make what is of a folder of photographs.
OF_ARCHIVE: Final = ("archive", "album", "sidecars")
LISTING: Final = "archive/listing.parquet"
# Made only where photos are left out.
ERASED: Final = "archive/erased.csv"
# Rules of other files make what the run's data end in.
APART: Final = ("Snakefile", "demo", *OF_ARCHIVE)


def takes_data(workflow: Any) -> bool:
    """Whether a run is about to make anything from its data: not by rules of the archive alone."""
    return bool(_files(workflow) - set(APART))


def _files(workflow: Any) -> set[str]:
    """The files whose rules a run is about to use: "train" of rules/train.smk.

    What was written to sidecars is undone without any photos.
    """
    rules = [job.rule for job in workflow.dag.needrun_jobs()]
    return {Path(rule.snakefile).stem for rule in rules if rule.name != "undo_sidecars"}


def other_data_error(results: Path, config: dict[str, Any], workflow: Any) -> str:
    """A line if ``results/`` was made from other data than a run is about to use; else empty.

    Labelled faces that come to a pool are no other data. With ``--touch`` what is there counts as
    made from the data at hand.
    """
    record = _read(results)
    before, now = record.get("data"), _named(config)
    if workflow.touch or not isinstance(before, dict) or not takes_data(workflow):
        return ""
    stored = workflow.storage_settings.default_storage_provider
    # Of results on object storage there are no copies here.
    if not stored and not any(any(results.glob(path)) for path in MADE):
        return ""
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
        f"--directory and another folder. To start over: delete {folder}/{RECORD}, and run again"
    )


def archive_error(results: Path, config: dict[str, Any], workflow: Any) -> str:
    """A line if a run would tag no photos, not those that it was given, or others; else empty."""
    named = workflow.config_settings.overwrite_config.get("archive")
    if not _files(workflow) & set(OF_ARCHIVE):
        if named is None or "all" not in map(str, workflow.dag.targetrules):
            return ""
        return "archive= names photos that this run does not tag; end the command with -- archive"
    if workflow.storage_settings.default_storage_provider:
        # What no rule declares: which photos are left out, and what sidecars held before.
        return (
            "an archive keeps records beside its results that object storage would not hold; leave "
            "out --default-storage-provider (docs/storage.md)"
        )
    now = config["archive"]["photos"]
    if now is None:
        return (
            "no photos are named; add --config archive=/photos before -- archive (docs/archive.md)"
        )
    if (results / ERASED).exists() and not config["archive"]["exclude"]:
        return (
            "earlier runs left photos out, and this one names no list (archive.exclude), so they "
            "would come back. Name it in the block archive of your own file, beside photos; to "
            f"let them come back, delete {results.resolve()}/{ERASED}"
        )
    before = _read(results).get("archive")
    if workflow.touch or before is None or not (results / LISTING).exists():
        return ""
    if before == now or os.path.realpath(before) == os.path.realpath(now):
        return ""
    folder = results.resolve()
    return (
        f"{folder}/archive tells of the photos in {before}, and this run would put those in {now} "
        "in their place. To keep both: add --directory and another folder. If photos have moved, "
        f"or to start over: delete {folder}/{RECORD}, and run again"
    )


def note_data(results: Path, config: dict[str, Any], workflow: Any) -> None:
    """Write down the data, or the photos, of a run that is about to make something from them."""
    before = _read(results)
    record = dict(before)
    if takes_data(workflow):
        files = [str(path) for path in workflow.overwrite_configfiles]
        record |= {"data": _named(config), "configfiles": files}
    if _files(workflow) & set(OF_ARCHIVE):
        record["archive"] = config["archive"]["photos"]
        record["exclude"] = config["archive"]["exclude"]
    if record == before:
        return
    results.mkdir(parents=True, exist_ok=True)
    part = results / f".{RECORD}.part"
    text = json.dumps(record, indent=1)
    part.write_text(f"{text}\n", encoding="utf-8")
    part.replace(results / RECORD)


def _named(config: dict[str, Any]) -> dict[str, str | None]:
    return {key: config["data"][key] for key in KEYS}


def _read(results: Path) -> dict[str, Any]:
    """The record; empty if there is none, or none that can be read."""
    try:
        record = json.loads((results / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _same(key: str, before: str | None, now: str | None) -> bool:
    if before == now or (before is None and key not in POOLS):
        return True
    # Another name of the same file; a table's is that within its folder.
    named = key != "table" and before is not None and now is not None
    return named and os.path.realpath(str(before)) == os.path.realpath(str(now))


def _words(data: dict[str, str | None]) -> str:
    paths = [path for key in KEYS if (path := data.get(key))]
    return " and ".join(paths) or "rendered faces"
