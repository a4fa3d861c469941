"""Rule table1 of stage score.

All cells' scores beside the paper's.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.cluster.agreement import agreement_words
from facesort.common.arrays import read_index
from facesort.common.job import job
from facesort.common.reading import read_json, read_table
from facesort.score.table1 import make_table, naming_lines, table_markdown

snakemake: Snakemake

with job(snakemake.log[0]):
    cells = snakemake.params.cells
    predictions = [read_index(path) for path in snakemake.input.predictions]
    emotions = sorted(read_index(snakemake.input.index)["label"].unique())
    comparisons = read_table(snakemake.input.comparisons, "p_holm")
    causes = read_table(snakemake.input.causes, "lost_in")
    table = make_table(cells, predictions, comparisons, causes, emotions)
    table.to_csv(snakemake.output.csv, index=False)
    origins = [read_json(path)["naming"] for path in snakemake.input.metrics]
    naming = naming_lines(cells, origins, snakemake.params.naming)
    naming += filter(None, [agreement_words(read_table(snakemake.input.agreement))])
    text = table_markdown(
        table,
        comparisons,
        causes,
        data=snakemake.params.data,
        seeds=sorted({int(cell["seed"]) for cell in cells}),
        naming=naming,
        labels=predictions[0]["label"],
        emotions=emotions,
        choices={
            f"{about['model']}, {about['variant']}, seed {about['seed']}": about["choice"]
            for about in (
                read_json(Path(folder, "model.json")) for folder in snakemake.input.models
            )
        },
        rendered=snakemake.params.rendered,
    )
    Path(snakemake.output.md).write_text(text, encoding="utf-8")
