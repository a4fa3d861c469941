"""Rule train of stage train.

Train one model on one variant with one seed.
"""

import hashlib
import json
import platform
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
import torch._dynamo  # optimizers import it when they are made; jobs that start warm share it
from snakemake.iocontainers import Snakemake

from facesort.common.arrays import open_array, read_index, row_blocks
from facesort.common.emotions import EMOTIONS
from facesort.common.job import job
from facesort.train.checkpoints import Checkpoint
from facesort.train.devices import choose_device
from facesort.train.engine import PHASES, Phase, fit
from facesort.train.group_weights import group_weights
from facesort.train.models import MODELS, build
from facesort.train.models.description import describe
from facesort.train.models.geometry import Geometry
from facesort.train.reconstructions import Reconstructions
from facesort.train.saving import save_model
from facesort.train.stability import Choice

snakemake: Snakemake


def shape_codes(settings: dict[str, Any], seed: int) -> np.ndarray:
    """The pool's shapes in numbers of spread 1, as ``geometry`` makes them: float32 (N, d)."""
    landmarks = open_array(snakemake.input.landmarks)
    geometry = Geometry(settings["dimensions"], [1.0])
    geometry.fit(landmarks, np.arange(len(landmarks)), None, seed)
    blocks = (torch.from_numpy(np.array(landmarks[block])) for block in row_blocks(landmarks))
    return torch.cat([geometry.embed(block) for block in blocks]).numpy()


def emotions_of(model: str, rows: np.ndarray, labels: np.ndarray | None) -> list[str]:
    """The emotions that a classifier may answer: those learnt from; all without labels."""
    if labels is None:
        return list(EMOTIONS) if MODELS[model].answers == "classifier" else []
    return [EMOTIONS[number] for number in np.unique(labels[rows])]


def digest(path: str) -> str:
    """SHA-256 of a file, hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


with job(snakemake.log[0]):
    name, seed = snakemake.wildcards.model, int(snakemake.wildcards.seed)
    settings, training = snakemake.params.settings, snakemake.params.training
    device = choose_device(training, snakemake.threads)

    def to_learn_from(labelled: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Faces, the rows of them to learn from, and their emotions if labelled."""
        if labelled:
            faces = open_array(snakemake.input.labelled)
            split = read_index(snakemake.input.split, rows=len(faces))
            index = read_index(snakemake.input.index, rows=len(faces))
            learnt = split["semi"] if name == "semi_supervised" else split["part"] == "train"
            return faces, np.flatnonzero(learnt), index["label"].map(EMOTIONS.index).to_numpy()
        faces = open_array(snakemake.input.pool)
        rows = np.arange(len(faces))
        if settings["sample"] and settings["sample"] < len(rows):
            chosen = np.random.default_rng(seed).choice(rows, settings["sample"], replace=False)
            rows = np.sort(chosen)
        return faces, rows, None

    def balanced(phase: Phase, column: str) -> Phase:
        """A phase in which groups of people count alike, if it learns labels."""
        if phase.labels is None:
            return phase
        groups = read_index(snakemake.input.groups, rows=len(phase.faces))
        weights = group_weights(groups, column, phase.labels, phase.rows)
        return replace(phase, face_weights=weights)

    # In this order, whatever the order in the config: the encoder learns before it is frozen.
    phases = [
        Phase(phase, *to_learn_from(phase == "classify"), **settings["phases"][phase])
        for phase in PHASES
        if phase in settings.get("phases", {})
    ]
    column = snakemake.params.balance_groups
    if column is not None:
        phases = [balanced(phase, column) for phase in phases]
    if snakemake.input.triplets:
        triplets = read_index(snakemake.input.triplets).query("part == 'train'")
        groups = triplets[["first", "second", "odd"]].to_numpy(np.int64)
        margins = triplets["margin"].to_numpy(np.float32)
        rows = np.arange(len(groups))
        phases = [replace(p, rows=rows, groups=groups, targets=margins) for p in phases]
    if snakemake.input.landmarks:
        phases = [replace(phase, targets=shape_codes(settings, seed)) for phase in phases]
    at_once = None if phases else to_learn_from("labelled" in MODELS[name].learns_from)
    shape = (at_once[0] if at_once else phases[0].faces).shape[1:]
    # The last phase classifies, if any does.
    learnt_from = at_once[1:] if at_once else (phases[-1].rows, phases[-1].labels)

    # Of results/{variant}/{model}/seed{seed}/model; copies from object storage lie deeper.
    top = Path(snakemake.output.model).parents[4]
    about = {
        "model": name,
        "shape": shape,
        "settings": settings,
        "variant": snakemake.wildcards.variant,
        "seed": seed,
        "training": training,
        "balance_groups": column,
        "faces": {"fit": len(at_once[1])}
        if at_once
        else {phase.name: len(phase.rows) for phase in phases},
        "emotions": emotions_of(name, *learnt_from),
        "data": {path.removeprefix(f"{top}/"): digest(path) for path in snakemake.input},
        "code": snakemake.params.code,
        "device": str(device),
        "threads": snakemake.threads,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "safetensors": safetensors.__version__,
        },
        "layers": [] if at_once else describe(name, shape, settings),
    }
    torch.manual_seed(seed)
    model = build(name, about["shape"], settings)
    if hasattr(model, "start_from"):
        model.start_from(settings["weights"])
    folder = Path(snakemake.params.checkpoint)
    identity = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
    shown = Reconstructions(model, phases, device, folder)
    learnt = at_once[:2] if at_once else (phases[0].faces, phases[0].rows)
    last = 0 if at_once else phases[0].epochs
    choice = Choice(
        model,
        *learnt,
        epochs=sorted({(last + 1) // 2, (3 * last + 3) // 4, last}),
        clusters=snakemake.params.clusters,
        seed=seed,
        device=device,
        folder=folder,
        identity=identity,
        targets=phases[0].targets if MODELS[name].chooses and phases else None,
    )
    if at_once:
        model.fit(*at_once, seed)
        choice.after_epoch(0)

    def after_epoch(phase: str, epoch: int) -> None:
        shown.after_epoch(phase, epoch)
        choice.after_epoch(epoch)

    history = fit(
        model,
        phases,
        device,
        batch_size=training["batch_size"],
        seed=seed,
        checkpoint=Checkpoint(
            folder / "last.pt",
            identity=identity,
            minutes=snakemake.resources.checkpoint_minutes,
        ),
        label=f"{snakemake.wildcards.variant}/{name}/seed{seed}",
        after_epoch=after_epoch,
    )
    about["choice"] = choice.finish()
    about["reconstructed_epochs"] = shown.epochs
    save_model(Path(snakemake.output.model), model, about, history, shown.all())
    shutil.rmtree(folder, ignore_errors=True)
