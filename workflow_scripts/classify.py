"""Rule classify of stage train.

A classifier's probabilities of the eight emotions for the labelled faces. One that had no face to
learn from has 0, so it is never answered.
"""

from snakemake.iocontainers import Snakemake

from facesort.common.arrays import open_array
from facesort.common.job import job
from facesort.train.classifying import answers_of
from facesort.train.engine import apply_in_batches
from facesort.train.saving import load_for_use

snakemake: Snakemake

with job(snakemake.log[0]):
    training = snakemake.params.training
    model, about, device = load_for_use(snakemake.input.model, training, snakemake.threads)
    apply_in_batches(
        answers_of(model, about["emotions"], snakemake.params.mirror),
        open_array(snakemake.input.labelled),
        snakemake.output.probabilities,
        device,
        training["batch_size"],
    )
