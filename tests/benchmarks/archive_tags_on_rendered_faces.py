"""From which certainty on a tag is right in 90 of 100 rendered faces, for archives without labels.

    ./run python tests/benchmarks/archive_tags_on_rendered_faces.py FOLDER

renders photos into FOLDER, of other seeds than any that are scored or taught by; tags them as an
archive by the rules of the workflow; and writes ``facesort/archive/tags.csv``: of each tag the
logistic curve by which what is measured becomes a probability, the threshold, and how many faces
told both. One half of the photos tells curves, the other half thresholds and shares. What rendered
faces never show (closed eyes) keeps its curve, set by hand, and has no shares.

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

CODE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CODE / "workflow_scripts"))

from facesort.archive.precision import FEWEST, share, threshold
from facesort.archive.review import matched
from facesort.archive.tables import APPARENT, BOX, LOOKS, TAGS
from facesort.archive.tags import TABLE, log_odds, measured
from facesort.demo.dataset import write_photos

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

    table = pd.read_csv(TABLE, index_col="tag").loc[list(TAGS)]
    strengths = measured(faces)
    odds = log_odds(faces[list(LOOKS)].to_numpy())
    best = odds.argmax(1)
    for words, name in zip(TAGS, (*APPARENT, *LOOKS), strict=True):
        if name in LOOKS:
            at = list(LOOKS).index(name)
            seen, right, may = odds[:, at], (shown["emotion"] == name).to_numpy(), best == at
        elif name in UNITS:
            right = (shown[list(UNITS[name])] >= SHOWN).any(axis=1).to_numpy()
            seen, may = strengths[name].to_numpy(), np.ones(len(faces), bool)
        else:
            continue
        scale = seen[half].std()
        curve = LogisticRegression(C=1e3).fit(seen[half, None] / scale, right[half])
        slope = float(curve.coef_[0, 0]) / scale
        middle, width = -float(curve.intercept_[0]) / slope, 1 / slope
        certainty = 1 / (1 + np.exp((middle - seen) / width))
        tried = ~half & may
        least = threshold(certainty[tried], right[tried], np.ones(tried.sum()))
        given_to = tried & (certainty >= (np.inf if least is None else least))
        found = share(right[given_to], np.ones(given_to.sum()))
        # Rounded up, or the last face would lose its tag.
        at_least = np.nan if least is None else np.floor(least * 1e4) / 1e4
        table.loc[words, ["middle", "width", "threshold"]] = middle, width, at_least
        told = {"right": found.value, "low": found.low, "high": found.high, "faces": found.looks}
        told["found"] = right[given_to].sum() / max(right[~half].sum(), 1)
        table.loc[words, list(told)] = list(told.values())
        print(f"{words}: {told}, threshold {least}, {FEWEST} faces at least")
    whole = table.round(4).astype({"faces": "Int64"})
    whole.to_csv(TABLE, lineterminator="\n")


if __name__ == "__main__":
    main()
