"""Rule elsewhere_table of stage score.

All cells' scores on other sets beside those on the main scored faces.
"""

from collections import Counter
from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_index
from facesort.common.drawing import save
from facesort.common.job import job
from facesort.score.elsewhere.figure import plot_elsewhere
from facesort.score.elsewhere.table import OtherSet, elsewhere_markdown, make_elsewhere_table

snakemake: Snakemake

with job(snakemake.log[0]):
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    sets = {}
    for (name, folder), answers, overlap, refused in zip(
        params.folders.items(), inputs.answers, inputs.overlaps, inputs.refused, strict=True
    ):
        known = read_index(overlap)
        scored = read_index(answers).drop(known.loc[known["part"] != "test", "face"])
        sets[name] = OtherSet(scored, folder, len(read_index(refused)), Counter(known["part"]))
    predictions = [read_index(path) for path in inputs.predictions]
    table = make_elsewhere_table(params.cells, predictions, sets)
    table.to_csv(output.csv, index=False)
    text = elsewhere_markdown(
        table,
        sets,
        predictions[0]["label"].to_numpy(str),
        data=params.data,
        seeds=table["seeds"].max(),
    )
    Path(output.md).write_text(text, encoding="utf-8")
    save(plot_elsewhere(table), output.figure)
