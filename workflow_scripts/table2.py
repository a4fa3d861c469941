"""Rule table2 of stage score.

All cells' scores by valence.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_index
from facesort.common.job import job
from facesort.score.table2 import make_valence_table, valence_markdown

snakemake: Snakemake

with job(snakemake.log[0]):
    predictions = [read_index(path) for path in snakemake.input.predictions]
    table = make_valence_table(snakemake.params.cells, predictions)
    table.to_csv(snakemake.output.csv, index=False)
    text = valence_markdown(table, data=snakemake.params.data)
    Path(snakemake.output.md).write_text(text, encoding="utf-8")
