"""Rule plot_history of stage pages.

The loss of every epoch, all cells.
"""

from pathlib import Path

import pandas as pd
from snakemake.iocontainers import Snakemake

from facesort.common.drawing import save
from facesort.common.job import job
from facesort.pages.figures import plot_history

snakemake: Snakemake

with job(snakemake.log[0]):
    histories = [
        pd.read_json(Path(folder, "history.jsonl"), lines=True).assign(**cell)
        for folder, cell in zip(snakemake.input.models, snakemake.params.cells, strict=True)
        # A model that learns at once has no epochs.
        if Path(folder, "history.jsonl").stat().st_size
    ]
    save(plot_history(pd.concat(histories, ignore_index=True)), snakemake.output.figure)
