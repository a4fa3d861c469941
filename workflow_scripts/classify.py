"""Rule classify: a classifier's probabilities of the eight emotions for the labelled faces."""

import torch
from snakemake.iocontainers import Snakemake

from facesort.arrays import create_array, open_array
from facesort.devices import choose_device
from facesort.emotions import EMOTIONS
from facesort.job import job
from facesort.saving import load_model
from facesort.training import apply_in_batches

snakemake: Snakemake

with job(snakemake.log[0]):
    device = choose_device(snakemake.params.training["precision"], snakemake.threads)
    model, about = load_model(snakemake.input.model)
    model.to(device.device, memory_format=torch.channels_last)
    faces = open_array(snakemake.input.labelled)
    path = snakemake.output.probabilities
    with create_array(path, (len(faces), len(EMOTIONS)), "float32") as out:
        apply_in_batches(
            lambda x: model.classify(x).float().softmax(1),
            faces,
            out,
            device,
            snakemake.params.training["batch_size"],
            path,
        )
