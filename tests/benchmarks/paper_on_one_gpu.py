"""The paper's twelve cells at its size on one machine: seconds of the run, and of each rule.

    ./run python tests/benchmarks/paper_on_one_gpu.py --out /scratch/paper

Stands in for fetching: each face is a mixture of two rendered ones, moved and turned, a JPEG file.
Then the workflow reads, trains and scores them by configs/paper.yaml and profiles/gpu. After
``--minutes`` the run is stopped, and the same command goes on with it. Prints a table in Markdown.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

from facesort.common.emotions import EMOTIONS
from facesort.demo.dataset import write_labelled
from facesort.pages.costs import by_rule, read_costs

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("stacked", "convolutional", "semi_supervised", "supervised")


def mixture(number: int, first: list[Path], second: list[Path], size: int) -> np.ndarray:
    """Two faces in one, each mirrored, moved, turned and scaled by chance: uint8 (S, S, 3)."""
    rng = np.random.default_rng(number)
    weight, mixed = rng.uniform(0.4, 0.6), 0.0
    for faces, share in ((first, weight), (second, 1 - weight)):
        face = cv2.imread(str(faces[rng.integers(len(faces))]))[:, :: rng.choice([-1, 1])]
        side = len(face)
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(-15, 15), 1)
        turn[:, 2] += rng.uniform(-0.1, 0.1, 2) * side
        turn *= size / side * rng.uniform(0.9, 1.2)
        mixed += share * cv2.warpAffine(face, turn, (size, size), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(mixed).astype(np.uint8)


def write_face(number: int, folder: Path, faces: dict[str, list[Path]], size: int) -> None:
    """Write a face of the pool (anybody with anybody) or, by emotion, of the labelled set."""
    if folder.name == "pool":
        everybody = [*chain(*faces.values())]
        path, picture = folder / f"{number}.jpg", mixture(number, everybody, everybody, size)
    else:
        emotion = EMOTIONS[number % len(EMOTIONS)]
        path = folder / emotion / f"{number}.jpg"
        # Other numbers than the pool's, so that no face is in both.
        picture = mixture(10**9 + number, faces[emotion], faces[emotion], size)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture)


def make_faces(out: Path, counts: dict[str, int], size: int, people: int, cores: int) -> None:
    """Write the folders ``pool`` and ``labelled``, unless they are there."""
    rendered = out / "rendered"
    if not rendered.exists():
        write_labelled(rendered, per_emotion=people, seed=0, workers=cores)
    faces = {emotion: sorted((rendered / emotion).glob("*.jpg")) for emotion in EMOTIONS}
    with ProcessPoolExecutor(cores) as processes:
        for name, count in counts.items():
            if not (done := out / f"{name} is whole").exists():
                write = partial(write_face, folder=out / name, faces=faces, size=size)
                for _ in processes.map(write, range(count), chunksize=100):
                    pass
                done.touch()


def run(out: Path, configs: list[Path], cores: int, minutes: float) -> int:
    """Run the workflow in ``out/run``, at most so long; Snakemake's status, or that of a stop."""
    command: list[str | Path] = ["snakemake", "-s", ROOT / "Snakefile", "--directory", out / "run"]
    command += ["--workflow-profile", ROOT / "profiles/gpu", "--cores", str(cores)]
    command += ["--configfile", ROOT / "configs/paper.yaml", *configs]
    with subprocess.Popen(command) as process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(60 * minutes)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        return process.wait()


def card() -> str:
    """The GPU that torch sees. Asked last, since whoever asks takes some of its memory."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="a folder; 60 GB at full size")
    parser.add_argument("--faces", type=int, default=25_000)
    parser.add_argument("--labelled", type=int, default=15_000)
    parser.add_argument("--size", type=int, default=200, help="pixels of a face's side")
    parser.add_argument("--people", type=int, default=100, help="rendered faces for each emotion")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--minutes", type=float, default=30, help="after which the run is stopped")
    parser.add_argument("--configfile", type=Path, nargs="*", default=[], help="merged over that")
    chosen = parser.parse_args()
    out = chosen.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    counts = {"pool": chosen.faces, "labelled": chosen.labelled}
    began = time.monotonic()
    make_faces(out, counts, chosen.size, chosen.people, chosen.cores)
    made = time.monotonic() - began
    config = {
        "data": {"faces": str(out / "pool"), "labelled": str(out / "labelled")},
        "faces": {"size": chosen.size, "border": chosen.size // 8, "sample": chosen.faces},
        "models": {"only": list(MODELS)},
    }
    (out / "mine.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    began = time.monotonic()
    configs = [out / "mine.yaml", *(path.resolve() for path in chosen.configfile)]
    status = run(out, configs, chosen.cores, chosen.minutes)
    seconds = time.monotonic() - began
    jobs = read_costs(out / "run/results/logs")
    print("\n| rule | jobs | seconds together | longest | seconds of CPU | memory, MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in by_rule(jobs).itertuples():
        print(
            f"| {row.rule} | {row.jobs} | {row.seconds:.0f} | {row.longest:.0f} | "
            f"{row.cpu_seconds:.0f} | {row.memory_mb:.0f} |"
        )
    ended = "done" if status == 0 else "not done: run it again to go on"
    print(f"\n{ended}; {seconds:.0f} s, beside {made:.0f} s to make the faces; {card()}, ", end="")
    print(f"{chosen.cores} cores; {jobs['cpu_seconds'].sum():.0f} s of CPU in all jobs")
    raise SystemExit(status)


if __name__ == "__main__":
    main()
