"""Rule counterfactual_table of stage audit.

How often each row's answer changes with one thing that must not matter, and to what.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.audit.counterfactual import counterfactual_markdown, make_counterfactual_table
from facesort.common.arrays import read_index
from facesort.common.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    params, inputs, output = snakemake.params, snakemake.input, snakemake.output
    pairs, answers = read_index(inputs.pairs), read_index(inputs.answers)
    presence = {
        variant: read_index(path, rows=len(answers))["presence"].to_numpy()
        for variant, path in zip(params.variants, inputs.presence, strict=True)
    }
    table = make_counterfactual_table(params.cells, answers, pairs, presence, seed=params.seed)
    table.to_csv(output.csv, index=False)
    text = counterfactual_markdown(table, pairs=params.pairs, faces=len(answers), data=params.data)
    Path(output.md).write_text(text, encoding="utf-8")
