"""Rule summary_page of stage pages.

All results on one page.
"""

import json
from pathlib import Path
from typing import Any

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_index
from facesort.common.job import job
from facesort.common.reading import read_json, read_table
from facesort.pages.summary import file_digest, summary

snakemake: Snakemake


def cell(model: str) -> dict[str, Any]:
    """What made a model, and the digest of its clustering."""
    about = read_json(Path(model) / "model.json")
    names = Path(model).with_name("names.csv")
    clustered = str(names) in snakemake.input.names
    return {
        **{key: about[key] for key in ("model", "variant", "seed", "code", "device")},
        "versions": ", ".join(f"{name} {number}" for name, number in about["versions"].items()),
        "clustering": read_table(names, "clustering")["clustering"].iloc[0] if clustered else "",
    }


with job(snakemake.log[0]):
    files = snakemake.input
    page = summary(
        texts={Path(path).stem: Path(path).read_text(encoding="utf-8") for path in files.texts},
        confusion=Path(files.confusion).read_bytes() if files.confusion else b"",
        few_labels=[Path(path).read_bytes() for path in files.few_labels],
        elsewhere=Path(files.elsewhere).read_bytes() if files.elsewhere else b"",
        agreement=read_table(files.agreement),
        costs=read_table(files.costs),
        ledger=read_index(files.ledger),
        refused=read_index(files.refused),
        faces=len(read_index(files.faces)),
        cells=[cell(model) for model in files.models],
        digests={
            path: file_digest(path)
            for path in (
                *(*files.texts, files.ledger, files.faces, files.index, files.split),
                *files.others,
            )
            if path
        },
        config=json.dumps(snakemake.config, indent=2),
        demo=snakemake.params.demo,
        unscored=snakemake.params.unscored,
        folder=bool(snakemake.config["data"]["faces"]),
    )
    Path(snakemake.output.page).write_text(page, encoding="utf-8")
