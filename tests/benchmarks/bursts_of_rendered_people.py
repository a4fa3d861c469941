"""How often the best shot of a burst is ranked first, and closed eyes are told, on rendered people.

    ./run python tests/benchmarks/bursts_of_rendered_people.py FOLDER

renders bursts of three to six shots of one to three people (``tests/made_bursts.py``) into FOLDER.
In all shots but one something goes wrong in one face: plainly in half of the bursts, slightly in
the others. Two bursts of strangers lie in each folder, taken in the same seconds. Then it chooses
among them by the rules of the workflow, and prints how often the series are right and the best
shot is first, beside chance, with 95% intervals (Wilson's), and what closed eyes look like.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

from made_bursts import as_jpeg, burst

from facesort.album.bursts import near_in_time
from facesort.album.faults import COLUMNS, TOLD, counted
from facesort.album.likeness import read
from facesort.archive.precision import share
from facesort.faces.duplicates import best_correlation

CODE = Path(__file__).resolve().parents[2]
# Others than those by which the weights of faults were looked at (18).
SEED = 19


def render(folder: Path, bursts: int) -> pd.DataFrame:
    """Write the photos, and ``truth.csv``: a row a photo, its burst, degree, fault and person."""
    rows = []
    for number in range(bursts):
        rng = np.random.default_rng([SEED, number])
        people, shots = 1 + number % 3, int(rng.integers(3, 7))
        degree = ("plain", "slight")[number // 2 % 2]
        where = folder / "photos" / f"{number // 2:03d}"
        where.mkdir(parents=True, exist_ok=True)
        for at, shot in enumerate(burst(rng, people, shots, degree)):
            taken = f"2026:05:01 12:00:{at // 2:02d}.{500 * (at % 2):03d}"
            path = where / f"{'ab'[number % 2]}{at}.jpg"
            path.write_bytes(as_jpeg(shot.picture, taken))
            photo = path.relative_to(folder / "photos").as_posix()
            rows.append((photo, number, degree, people, shots, shot.fault, shot.person))
    columns = ["photo", "burst", "degree", "people", "shots", "fault", "person"]
    truth = pd.DataFrame(rows, columns=columns)
    truth.to_csv(folder / "truth.csv", index=False)
    return truth


def told(right: pd.Series) -> str:
    """A share with its interval."""
    found = share(right.to_numpy(bool), np.ones(len(right)))
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}] of {len(right)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bursts", type=int, default=240)
    given = parser.parse_args()
    folder: Path = given.folder.resolve()
    known = folder / "truth.csv"
    truth = pd.read_csv(known) if known.exists() else render(folder, given.bursts)
    truth["fault"] = truth["fault"].fillna("")
    where = ("--directory", str(folder), "--snakefile", str(CODE / "Snakefile"))
    config = f"archive={{photos: {folder / 'photos'}}}"
    target = "results/archive/bursts.csv"
    subprocess.run(
        ("snakemake", "--cores", "1", *where, "--config", config, "--", target), check=True
    )

    ranks = pd.read_csv(folder / target, keep_default_na=False)
    table = truth.merge(ranks[["photo", "series", "rank", "reasons"]], "left", on="photo")
    pure = table.groupby("burst")["series"].nunique(dropna=False).eq(1)
    mixed = table.groupby("series")["burst"].nunique().gt(1)
    print(f"bursts that are one series: {told(pure)}; series of strangers: {mixed.sum()}")
    photos = pd.read_parquet(folder / "results/archive/photos.parquet")
    previews = sorted((folder / "results/archive/previews").glob("*.parquet"))
    first, second = near_in_time(photos)
    pixels = read(previews, photos["photo"], np.ones(len(photos), bool))[1]
    likeness = best_correlation(pixels[first], pixels[second])
    of = truth.set_index("photo")["burst"].reindex(photos["photo"]).to_numpy()
    own = of[first] == of[second]
    print(f"likeness: of {own.sum()} pairs of a burst {likeness[own].min():.2f} and more", end="; ")
    print(f"of {(~own).sum()} pairs of strangers {likeness[~own].max():.2f} at most")
    best = table[table["fault"] == ""].set_index("burst")
    for by in (["degree"], ["degree", "people"]):
        for what, part in best.groupby(by):
            chance = (1 / part["shots"]).mean()
            print(*what, f"best first: {told(part['rank'] == 1)}, by chance {chance:.2f}")
    first = table[table["rank"] == 1]
    print("what was put first instead:", first.groupby(["degree", "fault"]).size().to_dict())
    words = {"eyes closed": "eyes", "looks away": "looks", "glances aside": "looks"}
    words |= {"blurred": "blurred|sharp"}
    for (degree, fault), part in table[table["fault"] != ""].groupby(["degree", "fault"]):
        named = [
            bool(pd.Series([reason]).str.contains(words[fault]).item())
            for reason in part["reasons"].fillna("")
        ]
        print(degree, fault, "is the reason that is told:", told(pd.Series(named)))

    faces = pd.read_parquet(folder / "results/archive/faces.parquet", columns=list(COLUMNS))
    faces = counted(faces).merge(truth, on="photo")
    faces = faces[(faces["state"] == "answered") & (faces["of"] == faces["people"])]
    mine = (faces["fault"] == "eyes closed") & (faces["place"] == faces["person"])
    rest = faces["fault"] != "eyes closed"
    for degree, part in faces[mine | rest].groupby("degree"):
        shut = part["fault"] == "eyes closed"
        auc = roc_auc_score(shut, part["closed"])
        print(degree, f"closed eyes: AUC {auc:.3f}; blink of shut and others (5, 50, 95%):")
        for each in (shut, ~shut):
            print("   ", part.loc[each, "closed"].quantile([0.05, 0.5, 0.95]).round(3).tolist())
        tagged, blinking = part["tags"].str.contains("eyes closed"), part["closed"] >= TOLD
        for name, has in (("tag", tagged), ("reason", blinking)):
            print(f"    by {name}: found {told(has[shut])}; of others {told(has[~shut])}")


if __name__ == "__main__":
    main()
