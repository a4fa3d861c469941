"""Rule summary_page of stage pages.

All results on one page, alone and framed for the report.
"""

import json
from pathlib import Path
from typing import Any

from markupsafe import Markup
from snakemake.iocontainers import Snakemake

from facesort.common.arrays import open_array, read_index
from facesort.common.job import job
from facesort.common.reading import read_json, read_table
from facesort.pages.confusion import confusions
from facesort.pages.finding import best_cell, chart, strip, table_1
from facesort.pages.page import part
from facesort.pages.summary import file_digest, frame, summary
from facesort.score.table1 import finding_lines

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
    files, params = snakemake.input, snakemake.params
    # Of results/summary.html; copies from object storage lie deeper.
    top = Path(snakemake.output.page).parents[1]
    matrices = Markup()
    if files.table1:
        # An empty cell is "" of rank, and none of a figure.
        table = read_table(files.table1, "rank").fillna({"rank": ""})
        finding = finding_lines(table, params.demo)
        predictions = [read_index(path) for path in files.predictions]
        best = best_cell(table, params.cells)
        told = "{model} on {variant} answers".format(**params.cells[best])
        faces = strip(
            open_array(files.shown),
            predictions[best],
            f"Scored faces of each emotion, drawn at random, and what {told}.",
        )
        matrices = part("confusion", "matrices", found=confusions(params.cells, predictions))
        drawn, rows = chart(table), table_1(table, params.pages, params.seed)
    else:
        finding, drawn, rows = [params.unscored], Markup(), Markup()
        faces = strip(open_array(files.shown), None, "Faces drawn at random.")
    page = summary(
        finding=finding,
        chart=drawn,
        strip=faces,
        table_1=rows,
        texts={Path(path).stem: Path(path).read_text(encoding="utf-8") for path in files.texts},
        figures={Path(path).stem: Path(path).read_bytes() for path in files.figures},
        confusion=matrices,
        agreement=read_table(files.agreement),
        costs=read_table(files.costs),
        ledger=read_index(files.ledger),
        refused=read_index(files.refused),
        faces=len(read_index(files.faces)),
        cells=[cell(model) for model in files.models],
        digests={
            path.removeprefix(f"{top}/"): file_digest(path)
            for path in (
                *(*files.texts, files.ledger, files.faces, files.index, files.split),
                *files.others,
            )
            if path
        },
        config=json.dumps(snakemake.config, indent=2),
        data=params.data,
        demo=params.demo,
        unscored=not files.table1,
        pages=params.pages,
        folder=bool(snakemake.config["data"]["faces"]),
    )
    Path(snakemake.output.page).write_text(page, encoding="utf-8")
    Path(snakemake.output.frame).write_text(frame(page), encoding="utf-8")
