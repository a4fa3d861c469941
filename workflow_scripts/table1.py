"""Rule table1: score all cells on the same faces, with intervals, beside the paper's figures."""

from snakemake.script import snakemake

from facesort.arrays import read_index
from facesort.job import job
from facesort.tables import Cell, table1, table1_markdown, write_text

with job(snakemake.log[0]):
    params = snakemake.params
    predictions = {
        Cell(cell["model"], cell["variant"], int(cell["seed"])): read_index(path)
        for cell, path in zip(params.cells, snakemake.input.predictions, strict=True)
    }
    table = table1(predictions, resamples=params.resamples, seed=params.seed)
    markdown = table1_markdown(
        table,
        predictions,
        data=params.data,
        pool=len(read_index(snakemake.input.pool)),
        parts=read_index(snakemake.input.split)["part"].value_counts().to_dict(),
    )
    write_text(table.to_csv(index=False, lineterminator="\n"), snakemake.output.csv)
    write_text(markdown, snakemake.output.md)
    print(markdown)
