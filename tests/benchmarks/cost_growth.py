"""How the cost of each rule grows with the number of faces.

    ./run python tests/benchmarks/cost_growth.py --pool FOLDER --labelled FOLDER

Both folders hold real faces, the labelled ones in a folder for each emotion. From them faces are
made by turning, moving and mirroring: as many as asked for the pool, and a tenth of that with
labels. For each number the whole workflow runs on them, each model for one epoch, and its
results/costs.csv is read. Prints CPU seconds in Markdown, each job's start (Python and imports)
taken off, and how they grow from the last but one number to the last: 1 means in proportion.
"""

import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

from facesort.pages.costs import by_rule

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("stacked", "convolutional", "semi_supervised", "supervised")
SIDE = 64


def other_faces(numbers: Iterable[int], sources: list[Path], out: Path) -> None:
    """Write faces like the sources, but none the same."""
    for number in numbers:
        rng = np.random.default_rng(number)
        picture = cv2.resize(
            cv2.imread(str(sources[number % len(sources)])),
            (SIDE, SIDE),
            interpolation=cv2.INTER_AREA,
        )
        if rng.random() < 0.5:
            picture = picture[:, ::-1]
        turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), rng.normal(0, 5), rng.uniform(1, 1.15))
        turn[:, 2] += rng.normal(0, 1.5, 2)
        moved = cv2.warpAffine(picture, turn, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        cv2.imwrite(str(out / f"{number:06}.png"), moved)


def make_faces(pool: Path, labelled: Path, faces: int, out: Path) -> None:
    """Make the folders ``pool`` and ``labelled``, with so many faces and a tenth of that."""
    emotions = sorted(each for each in labelled.iterdir() if each.is_dir())
    wanted = {out / "pool": (pool, faces)}
    for emotion in emotions:
        wanted[out / "labelled" / emotion.name] = (emotion, faces // (10 * len(emotions)))
    with ProcessPoolExecutor() as workers:
        for folder, (source, count) in wanted.items():
            folder.mkdir(parents=True)
            sources = sorted(path for path in source.iterdir() if path.is_file())
            parts = [range(start, min(start + 500, count)) for start in range(0, count, 500)]
            list(workers.map(partial(other_faces, sources=sources, out=folder), parts))


def run(folder: Path, size: int, cores: int) -> pd.DataFrame:
    """What each rule of the workflow costs on the faces of a folder: ``by_rule``'s, and ``cpu``."""
    settings = {
        "data": {"faces": str(folder / "pool"), "labelled": str(folder / "labelled")},
        "faces": {"size": size, "border": size // 8, "sample": None},
        "variants": ["rgb"],
        "models": {model: {"phases": {}} for model in MODELS},
        # Rendered pairs are as many for any number of faces.
        "audit": {"pairs": 0},
    }
    default = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    for model in MODELS:
        for phase in default["models"][model]["phases"]:
            settings["models"][model]["phases"][phase] = {"epochs": 1}
    (folder / "growth.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    command = ["snakemake", "--cores", str(cores), "--directory", str(folder)]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--configfile", str(folder / "growth.yaml")]
    subprocess.run(command, check=True, stdout=sys.stderr)
    costs = by_rule(pd.read_csv(folder / "results/costs.csv")).set_index("rule")
    return costs.assign(cpu=costs["cpu_seconds"] - costs["start_cpu_seconds"])


def print_table(found: dict[int, pd.DataFrame]) -> None:
    """Rules that took at least a second at the largest number; the dearest first."""
    numbers = sorted(found)
    cpu = pd.DataFrame({number: found[number]["cpu"] for number in numbers}).fillna(0)
    last = numbers[-1]
    memory = found[last]["memory_mb"].copy()
    print("| rule |", *(f"{number:,} |" for number in numbers), "exponent | MB at most |")
    print("| --- " * (len(numbers) + 3) + "|")
    cpu.loc["all"], memory.loc["all"] = cpu.sum(), memory.max()
    for rule, row in cpu[cpu[last] >= 1].sort_values(last, ascending=False).iterrows():
        exponent = ""
        if len(numbers) > 1 and row[numbers[-2]] > 0:
            exponent = f"{math.log(row[last] / row[numbers[-2]], last / numbers[-2]):.2f}"
        seconds = " | ".join(f"{row[number]:,.1f}" for number in numbers)
        print(f"| `{rule}` | {seconds} | {exponent} | {memory[rule]:,.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pool", type=Path, required=True, help="a folder of faces")
    parser.add_argument("--labelled", type=Path, required=True, help="a folder of each emotion's")
    parser.add_argument("--faces", type=int, nargs="+", default=[2500, 10_000, 25_000, 100_000])
    parser.add_argument("--size", type=int, default=48, help="side of a face in pixels")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=Path, help="where runs are kept, and gone on with")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        found = {}
        for faces in sorted(options.faces):
            folder = (options.folder or Path(temporary)).resolve() / str(faces)
            if not folder.exists():
                # Under another name until it is whole; one that was cut off is begun again.
                part = folder.with_name(f"{faces}.part")
                shutil.rmtree(part, ignore_errors=True)
                make_faces(options.pool, options.labelled, faces, part)
                part.rename(folder)
            found[faces] = run(folder, options.size, options.cores)
            print_table(found)


if __name__ == "__main__":
    main()
