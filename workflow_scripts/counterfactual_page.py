"""Rule counterfactual_page of stage audit.

A page of rendered pairs with both answers, the commonest changes first.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.audit.pair_page import pair_page
from facesort.common.arrays import open_array, read_index
from facesort.common.job import job
from facesort.common.reading import read_table

snakemake: Snakemake

with job(snakemake.log[0]):
    params, inputs = snakemake.params, snakemake.input
    page = pair_page(
        read_table(inputs.table, "commonest_from", "commonest_to"),
        params.cells,
        read_index(inputs.answers),
        read_index(inputs.pairs),
        open_array(inputs.faces),
        data=params.data,
    )
    Path(snakemake.output.page).write_text(page, encoding="utf-8")
