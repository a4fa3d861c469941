"""Rule embed: encode the training pool and the labelled faces."""

import torch
from snakemake.iocontainers import Snakemake

from facesort.arrays import create_array, open_array
from facesort.batches import to_input
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
        with torch.no_grad():
            width = model.embed(to_input(faces[:1], device.device)).shape[1]
        with create_array(out_path, (len(faces), width), "float32") as out:
            apply_in_batches(model.embed, faces, out, device, training["batch_size"], out_path)
