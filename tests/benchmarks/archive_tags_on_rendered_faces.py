"""From which certainty on a tag is right in 90 of 100 rendered faces, for archives without labels.

    ./run python tests/benchmarks/archive_tags_on_rendered_faces.py FOLDER

renders photos into FOLDER, of other seeds than any that are scored or taught by; tags them as an
archive by the rules of the workflow; and writes ``facesort/archive/tags.csv``: of each tag the
logistic curve by which what is measured becomes a probability, the threshold, and how many faces
told both. One half of the photos tells curves, the other half thresholds and shares. What these
faces never show (closed eyes), or not so that 90 of 100 are right (frowning), keeps its curve, set
by hand, and has no shares.

Rendered faces are no photographs: how often a tag is right there only a person's looks tell
(docs/archive.md).
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

from facesort.archive.precision import share, threshold
from facesort.archive.review import matched
from facesort.archive.tables import BOX, LOOKS, TAGS
from facesort.archive.tags import NAMES, TABLE, built_in, may_have, measured, probabilities
from facesort.demo.dataset import write_photos

CODE = Path(__file__).resolve().parents[2]
SEED = 30_000
# The units that show each, of which one does; and how strong it is from there on. Weaker ones are
# the renderer's natural noise.
UNITS = {"smiling": (12,), "mouth_open": (25, 26), "brows_raised": (1, 2), "frowning": (4,)}
SHOWN = 0.3


def truth(folder: Path, faces: pd.DataFrame, photos: pd.DataFrame) -> pd.DataFrame:
    """Of each face the emotion and units (mean of both sides) of the one rendered there, or NaN."""
    told = pd.read_csv(folder / "truth.csv")
    told["photo"] = told["url"].str.removeprefix("http://").str.partition("?")[0]
    size = photos.set_index("photo")[["width", "height"]].loc[told["photo"]].to_numpy(float)
    edges = told[["left", "top", "right", "bottom"]].to_numpy() * np.tile(size, 2)
    told[list(BOX)] = np.column_stack([edges[:, :2], edges[:, 2:] - edges[:, :2]])
    rows = matched(told.assign(face=0), faces)
    units = told.filter(regex=r"^AU\d+[LR]$").T.groupby(lambda name: int(name[2:-1])).mean().T
    found = told[["emotion"]].join(units)[rows >= 0].set_index(rows[rows >= 0])
    return found[~found.index.duplicated()].reindex(range(len(faces)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=2000)
    given = parser.parse_args()
    folder: Path = given.folder.resolve()
    if not (folder / "truth.csv").exists():
        paths = folder / "photos", folder / "faces.csv", folder / "truth.csv"
        size = {"photos": given.photos, "rows": given.photos // 2}
        write_photos(*paths, **size, base_url="http://", seed=SEED, workers=2)
    config = f"archive={{photos: {folder / 'photos'}}}"
    where = ("--directory", str(folder), "--snakefile", str(CODE / "Snakefile"))
    target = "results/archive/faces.parquet"
    command = ("snakemake", "--cores", "2", *where, "--config", config, "--", target)
    subprocess.run(command, check=True)

    results = folder / "results/archive"
    faces, photos = (pd.read_parquet(results / f"{name}.parquet") for name in ("faces", "photos"))
    answers = pd.concat(map(pd.read_parquet, sorted((results / "answers").glob("*.parquet"))))
    # Answers as they were before any curve.
    faces = faces.drop(columns=list(LOOKS)).merge(answers, "left", ["photo", "face"])
    shown = truth(folder, faces, photos)
    kept = ((faces["state"] == "answered") & shown["emotion"].notna()).to_numpy()
    faces, shown = faces[kept].reset_index(drop=True), shown[kept].reset_index(drop=True)
    half = pd.util.hash_pandas_object(faces["photo"], index=False).to_numpy() % 2 == 0
    print(f"{len(faces):,} faces answered; {half.sum():,} tell curves, the others thresholds")
    before = built_in()
    table, seen = before.copy(), measured(faces, before)
    right = {name: (shown["emotion"] == name).to_numpy() for name in LOOKS}
    for name, units in UNITS.items():
        right[name] = (shown[list(units)] >= SHOWN).any(axis=1).to_numpy()
    for words, name in zip(TAGS, NAMES, strict=True):
        if name in right:
            values = seen[name].to_numpy()[half, None]
            curve = LogisticRegression(C=1e3).fit(values / values.std(), right[name][half])
            slope = float(curve.coef_[0, 0] / values.std())
            table.loc[words, ["middle", "width"]] = -float(curve.intercept_[0]) / slope, 1 / slope
    table = table.round(4)
    told = probabilities(faces, table)
    may = may_have(told)
    for at, (words, name) in enumerate(zip(TAGS, NAMES, strict=True)):
        if name not in right:
            continue
        certainty, tried = told[name].to_numpy(), ~half & may[:, at]
        least = threshold(certainty[tried], right[name][tried], np.ones(tried.sum()))
        if least is None and name not in LOOKS:
            # What rendered faces do not show well enough says nothing of its curve either.
            table.loc[words] = before.loc[words]
            table.loc[words, "threshold"] = np.nan
            continue
        # Rounded down, or the last face would lose its tag.
        least = np.nan if least is None else np.floor(least * 1e4) / 1e4
        has = tried & (certainty >= np.nan_to_num(least, nan=np.inf))
        found = share(right[name][has], np.ones(has.sum()))
        numbers = least, found.value, found.low, found.high, found.looks
        table.loc[words, ["threshold", "right", "low", "high", "faces"]] = numbers
        table.loc[words, "found"] = right[name][has].sum() / max(right[name][~half].sum(), 1)
        table.loc[words, "told_by"] = "rendered faces"
    whole = table.round(4).astype({"faces": "Int64"})
    whole.to_csv(TABLE, lineterminator="\n")
    print(whole.to_string())


if __name__ == "__main__":
    main()
