"""Rule embed: encode the training pool and the labelled faces."""

from snakemake.iocontainers import Snakemake

from facesort.arrays import open_array
from facesort.job import job
from facesort.saving import load_for_use
from facesort.training import apply_in_batches

snakemake: Snakemake

with job(snakemake.log[0]):
    training = snakemake.params.training
    model, _, device = load_for_use(snakemake.input.model, training, snakemake.threads)
    for faces_path, out_path in (
        (snakemake.input.pool, snakemake.output.pool),
        (snakemake.input.labelled, snakemake.output.labelled),
    ):
        faces = open_array(faces_path)
        apply_in_batches(model.embed, faces, out_path, device, training["batch_size"])
