"""How strong movements are on faces of photographs, for archives too small to tell by themselves.

    ./run python tests/benchmarks/archive_spread.py results/archive/faces.parquet

writes ``facesort/archive/spread.csv`` from the answered faces of an archive that was tagged. The
file that is committed is of 2,500 faces drawn from the 15,000 of UTKFace in ../shared/data/faces:
medians, spreads and slopes alone, from which no face can be told. No label is used.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

from facesort.archive.answers import model_features
from facesort.archive.spread import TABLE, table_of
from facesort.archive.tables import MOVEMENTS
from facesort.train.models import build


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faces", help="a faces.parquet")
    faces = pd.read_parquet(parser.parse_args().faces).query("state == 'answered'")
    settings = {"answer_by": ["prototypes"]}
    model = build("action_units", (len(MOVEMENTS),), settings)

    def features(standard: np.ndarray) -> dict[str, tuple[list[str], np.ndarray]]:
        model.fit(standard, np.arange(len(standard)), None, 0)
        return model_features(model, standard)

    table = table_of(faces[list(MOVEMENTS)].to_numpy(np.float64), features)
    table.round(5).to_csv(TABLE, index=False, lineterminator="\n")
    print(f"{len(faces):,} faces, {len(table)} rows in {TABLE}")


if __name__ == "__main__":
    main()
