"""Rule classify: a classifier's probabilities of the eight emotions for the labelled faces."""

from snakemake.iocontainers import Snakemake

from facesort.arrays import open_array
from facesort.job import job
from facesort.saving import load_for_use
from facesort.training import apply_in_batches

snakemake: Snakemake

with job(snakemake.log[0]):
    training = snakemake.params.training
    model, _, device = load_for_use(snakemake.input.model, training, snakemake.threads)
    apply_in_batches(
        lambda x: model.classify(x).float().softmax(1),
        open_array(snakemake.input.labelled),
        snakemake.output.probabilities,
        device,
        training["batch_size"],
    )
