"""Rule plot_reconstructions: labelled faces above what the autoencoder makes of them."""

from snakemake.iocontainers import Snakemake

from facesort.arrays import open_array
from facesort.figures import plot_reconstructions, save
from facesort.job import job

snakemake: Snakemake

with job(snakemake.log[0]):
    model, variant, seed = (snakemake.wildcards[key] for key in ("model", "variant", "seed"))
    pairs = open_array(snakemake.input.reconstructions)
    save(plot_reconstructions(pairs, f"{model}, {variant}, seed {seed}"), snakemake.output.figure)
