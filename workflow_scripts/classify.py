"""Rule classify: a classifier's probabilities of the eight emotions for the labelled faces."""

from snakemake.iocontainers import Snakemake

from facesort.arrays import create_array, open_array
from facesort.emotions import EMOTIONS
from facesort.job import job
from facesort.saving import load_for_use
from facesort.training import apply_in_batches

snakemake: Snakemake

with job(snakemake.log[0]):
    training = snakemake.params.training
    model, _, device = load_for_use(snakemake.input.model, training, snakemake.threads)
    faces, path = open_array(snakemake.input.labelled), snakemake.output.probabilities
    with create_array(path, (len(faces), len(EMOTIONS)), "float32") as out:
        apply_in_batches(
            lambda x: model.classify(x).float().softmax(1),
            faces,
            out,
            device,
            training["batch_size"],
            path,
        )
