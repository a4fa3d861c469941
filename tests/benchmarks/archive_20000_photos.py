"""What an archive of many photos costs, and what ten more, a hundred renamed and a hundred copied.

    ./run python tests/benchmarks/archive_20000_photos.py --photos 20000 --folder /tmp/many

makes photos out of those of ../shared/data/photos (cut, mirrored, brighter or darker, smaller),
runs the target ``archive`` on them with one core, and prints what each rule took: jobs, seconds of
CPU, largest memory; what all processes took; and what lies on disk. Photos and results that are
there are used again; ``--more`` adds ten photos, renames and copies some, and runs again.
"""

import argparse
import ctypes
import os
import re
import resource
import shutil
import subprocess
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT.parent / "shared/data/photos"
KINDS = ("groups", "portraits", "without_faces")
# Not now: a file that has just changed is looked at twice.
TIME = 1e9
ADDED, MOVED = 10, 100
COSTS = re.compile(r"^took ([\d.]+) s, ([\d.]+) s of CPU, .* at most (\d+) MB", re.M)
PR_SET_CHILD_SUBREAPER = 36


@cache
def sources(folder: Path, side: int) -> list[np.ndarray]:
    """The photographs, upright and no larger than so many pixels a side, uint8 (H, W, 3)."""
    found = []
    for path in sorted(path for kind in KINDS for path in (folder / kind).glob("*.jpg")):
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        image.thumbnail((side, side))
        found.append(np.asarray(image))
    return found


def altered(photo: np.ndarray, side: int, rng: np.random.Generator) -> bytes:
    """A JPEG of a part of a photo, mirrored or not, brighter or darker, at another size.

    Args:
        side: pixels that its longer side has at most; it has two thirds of them at least.
    """
    height, width = photo.shape[:2]
    share = rng.uniform(0.7, 1)
    high, wide = int(height * share), int(width * share)
    top, left = rng.integers(0, height - high + 1), rng.integers(0, width - wide + 1)
    part = photo[top : top + high, left : left + wide, :: rng.choice([1, -1])]
    factor = min(1.0, rng.integers(side * 2 // 3, side) / max(part.shape[:2]))
    part = cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    part = cv2.convertScaleAbs(part, alpha=rng.uniform(0.8, 1.2), beta=rng.uniform(-20, 20))
    return bytes(simplejpeg.encode_jpeg(part, quality=int(rng.integers(75, 90))))


def make_photos(folder: Path, numbers: range, taken: Path, side: int) -> int:
    """Photos of these numbers in many folders; returns their bytes."""
    total = 0
    for number in numbers:
        name = f"{1900 + number % 100}/box {number % 37:02d}/scan_{number:06d}.jpg"
        path = folder / name
        if not path.exists():
            every = sources(taken, 2 * side)
            data = altered(every[number % len(every)], side, np.random.default_rng([17, number]))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            os.utime(path, (TIME, TIME))
        total += path.stat().st_size
    return total


def alter_archive(photos: Path) -> None:
    """Rename some photos into a new folder, and copy some others there."""
    every = sorted(photos.glob("*/*/*.jpg"))
    there = photos / "sorted"
    there.mkdir()
    for path in every[:MOVED]:
        path.rename(there / f"renamed {path.name}")
    for path in every[-MOVED:]:
        shutil.copy2(path, there / f"copied {path.name}")


def run(folder: Path, jobs: int) -> tuple[float, float]:
    """Run the target; CPU seconds of all processes, and seconds that passed."""
    block = f"archive={{photos: {folder / 'photos'}, jobs: {jobs}}}"
    command = ["snakemake", "--snakefile", ROOT / "Snakefile", "--directory", folder / "run"]
    command += ["--cores", "1", "--config", block, "--", "archive"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    shutil.rmtree(folder / "run/results/logs", ignore_errors=True)
    before, began = cpu(), time.monotonic()
    with (folder / "run.log").open("w") as log:
        subprocess.run(command, env=environment, stdout=log, stderr=log, check=True)
    # Processes that jobs start warm from end after Snakemake.
    with suppress(ChildProcessError):
        while os.wait():
            pass
    return cpu() - before, time.monotonic() - began


def cpu() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def report(folder: Path, seconds: float, passed: float) -> None:
    logs = folder / "run/results/logs"
    by_rule: dict[str, list[tuple[float, int]]] = {}
    for path in sorted(logs.rglob("*.log"), key=lambda path: path.stat().st_mtime):
        told = COSTS.search(path.read_text(encoding="utf-8", errors="replace"))
        rule = path.relative_to(logs).parts[0].removesuffix(".log")
        by_rule.setdefault(rule, []).append((float(told[2]), int(told[3])))
    print("| rule | jobs | CPU s | MB at most |\n| --- | --- | --- | --- |")
    for rule, jobs in by_rule.items():
        spent, megabytes = zip(*jobs, strict=True)
        print(f"| {rule} | {len(jobs)} | {sum(spent):.1f} | {max(megabytes)} |")
    print(f"\nin all {seconds:.0f} CPU seconds, {passed:.0f} s passed")
    for path in sorted(logs.glob("*.log")):
        print(f"{path.stem}: {path.read_text(encoding='utf-8').splitlines()[0]}")
    texts = [path.read_text(encoding="utf-8") for path in logs.glob("analyse_photos/*.log")]
    counts = re.findall(r"^([\d,]+) photos analysed$", "\n".join(texts), re.M)
    print(f"analysed: {sum(int(count.replace(',', '')) for count in counts):,}")
    out = folder / "run/results/archive"
    for name in ("buckets", "found", "answers", "thumbnails", "previews", "browse", ""):
        files = [path for path in (out / name).rglob("*") if path.is_file()]
        total = sum(path.stat().st_size for path in files)
        print(f"results/archive/{name}: {total / 1e6:,.0f} MB in {len(files):,} files")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--sources", type=Path, default=SOURCES)
    parser.add_argument("--side", type=int, default=720)
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--more", action="store_true")
    options = parser.parse_args()
    # What jobs leave behind ends as a child of this process, and is counted.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    folder = options.folder.resolve()
    (folder / "run").mkdir(parents=True, exist_ok=True)
    numbers = range(options.photos)
    if options.more:
        alter_archive(folder / "photos")
        numbers = range(options.photos, options.photos + ADDED)
    size = make_photos(folder / "photos", numbers, options.sources, options.side)
    print(f"{len(numbers):,} photos of {size / 1e6:,.1f} MB in all")
    report(folder, *run(folder, options.jobs))


if __name__ == "__main__":
    main()
