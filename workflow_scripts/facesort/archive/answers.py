"""The emotion that a face shows: probabilities without labels, or by a model of the workflow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch

from facesort.archive.model_views import view_of
from facesort.archive.spread import Standard, shrunk
from facesort.archive.tables import ANSWERS, KEY, MOVEMENTS
from facesort.common.arrays import write_whole
from facesort.common.emotions import EMOTIONS
from facesort.faces.units import features, gathered, used_movements
from facesort.train.batches import to_input
from facesort.train.classifying import answers_of
from facesort.train.devices import enough_memory
from facesort.train.models import build
from facesort.train.models.action_units import ActionUnits
from facesort.train.saving import load_for_use

# Faces that tell an archive's spread, at most.
SAMPLE: Final = 100_000
BATCH: Final = 1024


class LabelFree:
    """The answers of ``action_units``, set against the spread of an archive, drawn to others'.

    Args:
        sample: float (n, ``MOVEMENTS``), strengths of faces of the archive; there may be none.
    """

    def __init__(self, sample: np.ndarray) -> None:
        self.standard = Standard(sample)
        settings = {"answer_by": ["prototypes", "rendered_faces"]}
        self.model: ActionUnits = build("action_units", (len(MOVEMENTS),), settings)
        standard = self.standard(sample)
        # In this order: units are of features that are set against their spread.
        for kind, buffers in (("feature", ""), ("unit", "unit_")):
            names, values = model_features(self.model, standard)[kind]
            median, spread = shrunk(values, kind, names)
            getattr(self.model, f"{buffers}median").copy_(torch.tensor(median))
            getattr(self.model, f"{buffers}spread").copy_(torch.tensor(spread))

    def __call__(self, faces: pa.Table) -> np.ndarray:
        """float64 (N, 8) of faces as ``analyse_photos`` tells them."""
        seen = torch.from_numpy(self.standard(strengths(faces)))
        with torch.inference_mode():
            return self.model.classify(seen).double().softmax(1).numpy()


class ByModel:
    """The answers of a trained classifier of the workflow.

    Args:
        folder: of the model.
        training: the config's block.
        mirror: as of ``answers_of``.
        sample: as of ``LabelFree``, for a model that sees movements.

    Raises:
        InputError: if the folder holds no model that can be read.
    """

    def __init__(
        self, folder: str, training: dict[str, Any], mirror: bool, sample: np.ndarray
    ) -> None:
        model, about, self.device = load_for_use(folder, training, 1)
        self.tell = answers_of(model, about["emotions"], mirror)
        self.view = view_of(folder)
        self.standard = Standard(sample)

    def __call__(self, faces: pa.Table) -> np.ndarray:
        """float64 (N, 8) of faces as ``analyse_photos`` tells them."""
        if self.view.kind == "movements":
            seen = self.standard(strengths(faces))
        else:
            every = b"".join(faces["seen"].to_pylist())
            seen = np.frombuffer(every, self.view.dtype).reshape(len(faces), *self.view.shape)
        with torch.inference_mode(), enough_memory(self.device.device), self.device.autocast():
            told = self.tell(to_input(seen, self.device.device))
        return told.double().cpu().numpy()


def model_features(
    model: ActionUnits, standard: np.ndarray
) -> dict[str, tuple[list[str], np.ndarray]]:
    """Names and values (N, D) of what ``action_units`` sets against a spread, by kind."""
    used = used_movements()
    x = torch.from_numpy(standard)
    with torch.inference_mode():
        units = model.embed(x) @ model.to_units
        means = model.gather(x)
    return {
        "feature": (features(used), means.numpy()),
        "unit": (list(gathered(used)[0].index), units.numpy()),
    }


def strengths(faces: pa.Table) -> np.ndarray:
    """float64 (N, ``MOVEMENTS``)."""
    columns = [faces[name].to_numpy(zero_copy_only=False) for name in MOVEMENTS]
    return np.stack(columns, 1).astype(np.float64)


def sampled(found: list[str], seed: int = 0) -> np.ndarray:
    """Strengths of answered faces of all jobs, ``SAMPLE`` at most, drawn alike from each row group.

    Args:
        found: the jobs' tables, in order.
    """
    files = [pq.ParquetFile(path) for path in found]
    total = sum(file.metadata.num_rows for file in files)
    rng = np.random.default_rng(seed)
    parts = [np.zeros((0, len(MOVEMENTS)))]
    for file in files:
        for batch in file.iter_batches(BATCH * 4, columns=["state", *MOVEMENTS]):
            rows = pa.Table.from_batches([batch])
            rows = rows.filter(pc.equal(rows["state"], "answered"))
            kept = rng.random(len(rows)) < SAMPLE / max(total, 1)
            parts.append(strengths(rows)[kept])
    return np.concatenate(parts)


def answer(found: list[str], answers: list[str], tell: Any) -> int:
    """Write each job's table ``ANSWERS``, a row a face that is answered.

    Args:
        tell: from faces, as a table, to float (N, 8).

    Returns:
        How many faces are answered.
    """
    count = 0
    for source, path in zip(found, answers, strict=True):
        with write_whole(path) as part, pq.ParquetWriter(part, ANSWERS) as writer:
            for faces in batches(source):
                told = pd.DataFrame(tell(faces), columns=list(EMOTIONS))
                keys = faces.select(list(KEY)).to_pandas()
                table = pa.Table.from_pandas(keys.join(told), ANSWERS, preserve_index=False)
                writer.write_table(table)
                count += len(table)
    return count


def batches(source: str | Path) -> Iterator[pa.Table]:
    """Answered faces of one job, ``BATCH`` rows of its table at a time."""
    for batch in pq.ParquetFile(source).iter_batches(BATCH):
        rows = pa.Table.from_batches([batch])
        rows = rows.filter(pc.equal(rows["state"], "answered"))
        if len(rows):
            yield rows
