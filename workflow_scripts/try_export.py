"""Rule try_export of stage export.

Bytes, time and scores of an exported model, and how its answers differ from the workflow's own.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from snakemake.iocontainers import Snakemake

from facesort.archive.model_views import view_of
from facesort.common.arrays import open_array, read_index, write_index, write_whole
from facesort.common.emotions import EMOTIONS
from facesort.common.job import job
from facesort.export.trial import try_files
from facesort.export.views import by_workflow, read_inputs, read_usual
from facesort.train.classifying import answers_of
from facesort.train.saving import load_model

snakemake: Snakemake

# So many faces of the pool are compared, drawn by chance: more would only take longer.
COMPARED = 2000

with job(snakemake.log[0]):
    given = snakemake.input
    torch.set_num_threads(snakemake.threads)
    model, made = load_model(given.model)
    view = view_of(given.model)
    usual = read_usual(given.strengths, given.presence)
    tell = answers_of(model, made["emotions"], snakemake.params.mirror)
    split = read_index(given.split)
    scored = np.flatnonzero(split["part"] == "test")
    labels = read_index(given.index, len(split))["label"].to_numpy(str)[scored]
    faces = len(open_array(given.pool))
    drawn = np.random.default_rng(0).permutation(faces)[:COMPARED]
    table, told = try_files(
        Path(given.files[0]).parent,
        read_inputs(view.kind, given.labelled, given.labelled_landmarks, scored),
        np.array([EMOTIONS.index(label) for label in labels]),
        read_inputs(view.kind, given.pool, given.pool_landmarks, np.sort(drawn)),
        lambda faces: by_workflow(view.kind, tell, usual, faces),
    )
    with write_whole(snakemake.output.table) as part:
        table.to_csv(part, index=False, lineterminator="\n")
    answers = pd.DataFrame(told, columns=list(EMOTIONS))
    answers.insert(0, "label", labels)
    answers.insert(0, "face", scored)
    write_index(answers, snakemake.output.answers)
    print(table[["precision", "bytes", "ms_1", "balanced_change", "equal", "furthest"]].to_string())
