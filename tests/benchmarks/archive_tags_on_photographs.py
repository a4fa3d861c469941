"""How often looks that no label tells are right on photographs whose labels are known.

    ./run python tests/benchmarks/archive_tags_on_photographs.py RESULTS

RESULTS is a run's on labelled photographs, with movements on ``rgb``. Faces of its training part
are told as those of an archive are, and tagged by ``facesort/archive/tags.csv``, which no
photograph has set. Writes ``facesort/archive/photographed.csv``: of each look how many faces had
it, how many rightly, and of all faces of that label the share that had it.

So labels say which looks are offered at all, and no more. The scored part of that set, and other
sets, have no share in it.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

from facesort.archive.answers import LabelFree, strengths
from facesort.archive.face_reader import TURNED
from facesort.archive.photographed import TABLE
from facesort.archive.tables import LOOKS, MOVEMENTS
from facesort.archive.tags import built_in, probabilities, tag
from facesort.common.arrays import read_index
from facesort.common.emotions import EMOTIONS


def main(results: Path) -> None:
    movements = pd.read_parquet(results / "rgb/movements/labelled.parquet", columns=list(MOVEMENTS))
    index = read_index(results / "labelled/faces.parquet", rows=len(movements))
    split = read_index(results / "labelled/split.parquet", rows=len(movements))
    turned = movements[["headYaw", "headPitch"]].abs().max(axis=1) > TURNED
    kept = ((split["part"] == "train") & ~turned).to_numpy()
    faces = movements[kept].reset_index(drop=True)
    table = pa.Table.from_pandas(faces)
    answers = LabelFree(strengths(table))(table)
    told = probabilities(faces.join(pd.DataFrame(answers, columns=list(EMOTIONS))), built_in())
    look, label = tag(told, built_in())["look"].to_numpy(), index["label"].to_numpy()[kept]
    rows = []
    for emotion, words in LOOKS.items():
        has, shows = look == words, label == emotion
        found = round((has & shows).sum() / max(shows.sum(), 1), 4)
        rows.append((words, has.sum(), (has & shows).sum(), found))
    print(f"{len(faces):,} faces, {np.mean(look != 'unsure'):.3f} of them with a look")
    pd.DataFrame(rows, columns=["tag", "faces", "right", "found"]).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
