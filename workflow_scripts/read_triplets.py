"""Rule read_triplets of stage faces.

People's comparisons of the pool's faces, to learn from and to score by.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import read_index, write_index
from facesort.common.job import InputError, job
from facesort.faces.triplets import read_triplets

snakemake: Snakemake

with job(snakemake.log[0]):
    settings = snakemake.params.settings
    if settings is None:
        raise InputError(
            f"{snakemake.output.triplets}: made for the model triplet, which the config leaves out "
            "(its block is in configs/beyond.yaml)"
        )
    triplets, lost = read_triplets(
        snakemake.input.csv,
        read_index(snakemake.input.index),
        read_index(snakemake.input.kept)["face"].to_numpy(),
        agreement=settings["agreement"],
        held_out=settings["held_out"],
        seed=snakemake.params.seed,
    )
    write_index(triplets, snakemake.output.triplets)
    lost.to_csv(snakemake.output.lost, index=False)
    parts = triplets["part"].value_counts()
    print(f"{parts['train']:,} comparisons to learn from, {parts['held_out']:,} to score by")
    for row in lost.itertuples():
        print(f"left out, {row.cause}: {row.rows:,}")
