"""Rule triplets_table of stage score.

How well every cell's embedding agrees with people's comparisons.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_index
from facesort.common.job import job
from facesort.common.reading import read_table
from facesort.score.triplet_accuracy import make_triplet_table, triplets_markdown

snakemake: Snakemake

with job(snakemake.log[0]):
    triplets = read_index(snakemake.input.triplets)
    held_out = triplets[triplets["part"] == "held_out"]
    answers = [read_index(path, rows=len(held_out)) for path in snakemake.input.answers]
    table = make_triplet_table(snakemake.params.cells, answers, held_out)
    table.to_csv(snakemake.output.csv, index=False)
    text = triplets_markdown(
        table,
        triplets,
        read_table(snakemake.input.lost, "cause", "rows"),
        data=snakemake.params.data,
    )
    Path(snakemake.output.md).write_text(text, encoding="utf-8")
