"""Rule report_losses of stage fetch.

Missing photos, by host and cause.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_index
from facesort.common.drawing import save
from facesort.common.job import job
from facesort.fetch.losses import count_losses, plot_losses

snakemake: Snakemake

with job(snakemake.log[0]):
    ledger = read_index(snakemake.input.ledger)
    losses = count_losses(ledger, read_index(snakemake.input.refused))
    losses.to_csv(snakemake.output.table, index=False)
    save(plot_losses(losses, len(ledger)), snakemake.output.figure)
    print(f"{losses['urls'].sum():,} of {len(ledger):,} photos are missing")
    for row in losses.head(10).itertuples():
        print(f"  {row.urls:,} {row.outcome} at {row.host}: {row.cause}")
