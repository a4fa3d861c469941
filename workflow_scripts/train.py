"""Rule train: train one model on one variant with one seed."""

import hashlib
import json
import platform
import shutil
from pathlib import Path

import numpy as np
import safetensors
import torch
from snakemake.iocontainers import Snakemake

from facesort.arrays import open_array, read_index
from facesort.checkpoints import Checkpoint
from facesort.devices import choose_device
from facesort.emotions import EMOTIONS
from facesort.job import job
from facesort.models import build
from facesort.models.description import describe
from facesort.reconstructions import Reconstructions
from facesort.saving import save_model
from facesort.training import PHASES, Phase, fit

snakemake: Snakemake


def digest(path: str) -> str:
    """SHA-256 of a file, hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


with job(snakemake.log[0]):
    name, seed = snakemake.wildcards.model, int(snakemake.wildcards.seed)
    settings, training = snakemake.params.settings, snakemake.params.training
    device = choose_device(training, snakemake.threads)

    phases = []
    # In this order, whatever the order in the config: the encoder learns before it is frozen.
    for phase in (phase for phase in PHASES if phase in settings["phases"]):
        how = settings["phases"][phase]
        faces = open_array(
            snakemake.input.labelled if phase == "classify" else snakemake.input.pool
        )
        if phase == "compare":
            triplets = read_index(snakemake.input.triplets).query("part == 'train'")
            groups = triplets[["first", "second", "odd"]].to_numpy(np.int64)
            margins = triplets["margin"].to_numpy(np.float32)
            how = how | {"groups": groups, "targets": margins}
            rows, labels = np.arange(len(groups)), None
        elif phase != "classify":
            rows, labels = np.arange(len(faces)), None
            if settings["sample"] and settings["sample"] < len(rows):
                chosen = np.random.default_rng(seed).choice(rows, settings["sample"], replace=False)
                rows = np.sort(chosen)
        else:
            split = read_index(snakemake.input.split, rows=len(faces))
            learnt = split["semi"] if name == "semi_supervised" else split["part"] == "train"
            rows = np.flatnonzero(learnt)
            index = read_index(snakemake.input.index, rows=len(faces))
            labels = index["label"].map(EMOTIONS.index).to_numpy()
        phases.append(Phase(phase, faces, rows, labels, **how))

    about = {
        "model": name,
        "shape": phases[0].faces.shape[1:],
        "settings": settings,
        "variant": snakemake.wildcards.variant,
        "seed": seed,
        "training": training,
        "faces": {phase.name: len(phase.rows) for phase in phases},
        "data": {path: digest(path) for path in snakemake.input},
        "code": snakemake.params.code,
        "device": str(device),
        "threads": snakemake.threads,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "safetensors": safetensors.__version__,
        },
        "layers": describe(name, phases[0].faces.shape[1:], settings),
    }
    torch.manual_seed(seed)
    model = build(name, about["shape"], settings)
    folder = Path(snakemake.params.checkpoint)
    shown = Reconstructions(model, phases[0], device, folder)
    history = fit(
        model,
        phases,
        device,
        batch_size=training["batch_size"],
        seed=seed,
        checkpoint=Checkpoint(
            folder / "last.pt",
            identity=hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest(),
            minutes=snakemake.resources.checkpoint_minutes,
        ),
        label=f"{snakemake.wildcards.variant}/{name}/seed{seed}",
        after_epoch=shown.after_epoch,
    )
    about["reconstructed_epochs"] = shown.epochs
    save_model(Path(snakemake.output.model), model, about, history, shown.all())
    shutil.rmtree(folder, ignore_errors=True)
