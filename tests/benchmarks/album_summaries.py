"""What twelve photos that stand for an album show, beside twelve by chance and the twelve best.

    ./run python tests/benchmarks/album_summaries.py RESULTS

RESULTS is ``results/archive`` of a folder with a folder for each label, as docs/archive.md tags
1,274 colour faces. Of each of 100 albums, of 200 random photos: how many labels and looks twelve of
them show, and how good they are; means with 95% intervals.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

from facesort.album.faults import COLUMNS, counted
from facesort.album.likeness import read
from facesort.album.summary import choose, goodness, looks
from facesort.archive.tables import LOOKS

ALBUMS, PHOTOS, CHOSEN = 100, 200, 12


def main(results: Path) -> None:
    photos = pd.read_parquet(results / "photos.parquet", columns=["photo", "sharpness"])
    faces = counted(pd.read_parquet(results / "faces.parquet", columns=list(COLUMNS)))
    previews = sorted((results / "previews").glob("*.parquet"))
    colours, _ = read(previews, photos["photo"], np.zeros(len(photos), bool))
    good, shown = goodness(photos, faces), looks(photos["photo"], faces)
    labels = photos["photo"].str.partition("/")[0]
    of_face = faces.drop_duplicates("photo").set_index("photo")["look"]
    look = of_face.where(of_face.isin(LOOKS.values())).reindex(photos["photo"]).to_numpy()
    rng, rows = np.random.default_rng(0), []
    for _ in range(ALBUMS):
        album = rng.choice(len(photos), PHOTOS, replace=False)
        every = np.ones(PHOTOS, bool)
        chosen, _ = choose(good[album], colours[album], shown[album], every, CHOSEN)
        best = np.argsort(-good[album])[:CHOSEN]
        ways = {"chosen": chosen, "chance": slice(CHOSEN), "best": best}
        for way, which in ways.items():
            at = album[which]
            about = labels.iloc[at].nunique(), pd.Series(look[at]).nunique(), good[at].mean()
            rows.append((way, *about))
    table = pd.DataFrame(rows, columns=["", "labels", "looks", "good"]).groupby("", sort=False)
    for name, each in (("mean", table.mean()), ("+-", 1.96 * table.std() / np.sqrt(ALBUMS))):
        print(name, each.round(3).to_string(), sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
