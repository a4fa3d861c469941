"""Rule few_labels_table of stage score.

All cells' curves over the number of labels.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import open_array, read_index
from facesort.common.drawing import save
from facesort.common.job import job
from facesort.common.reading import read_table
from facesort.score.few_labels.figures import plot_few_labels, plot_label_first
from facesort.score.few_labels.table import few_labels_markdown, make_few_labels_table

snakemake: Snakemake

with job(snakemake.log[0]):
    inputs, output = snakemake.input, snakemake.output
    index = read_index(inputs.index)
    split = read_index(inputs.split, rows=len(index))
    emotions = index.loc[(split["part"] == "train").to_numpy(), "label"].nunique()
    table = make_few_labels_table(
        snakemake.params.cells,
        [read_table(path) for path in inputs.tables],
        [open_array(path) for path in inputs.answers],
        index.loc[(split["part"] == "test").to_numpy(), "label"].to_numpy(str),
        snakemake.params.supervision,
    )
    table.to_csv(output.csv, index=False)
    text = few_labels_markdown(table, data=snakemake.params.data, emotions=emotions)
    Path(output.md).write_text(text, encoding="utf-8")
    save(plot_few_labels(table), output.curves)
    save(plot_label_first(table, emotions), output.first)
