"""Rule find_causes of stage score.

Where every model loses accuracy.
"""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_index
from facesort.common.job import job
from facesort.common.reading import read_json
from facesort.score.causes import causes_markdown, make_causes

snakemake: Snakemake

with job(snakemake.log[0]):
    causes = make_causes(
        snakemake.params.cells,
        [read_index(path) for path in snakemake.input.predictions],
        [read_json(path) for path in snakemake.input.metrics],
    )
    causes.to_csv(snakemake.output.csv, index=False)
    text = causes_markdown(causes, data=snakemake.params.data)
    Path(snakemake.output.md).write_text(text, encoding="utf-8")
