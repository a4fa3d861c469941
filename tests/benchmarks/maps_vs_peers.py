"""Time and memory of ``map_faces`` beside openTSNE and umap-learn, used plainly.

    ./run python tests/benchmarks/maps_vs_peers.py --faces 2500 --width 80000
    ./run python tests/benchmarks/maps_vs_peers.py --embeddings results/.../embeddings.npy

All place the same faces, and ours makes both maps in its one run. The peers get the whole array in
memory, and their defaults: ``TSNE().fit`` and ``UMAP().fit_transform``, with a seed and --threads.
Ours and umap-learn's first compile on a few faces, untimed. Each run is a process of its own. One
that takes more than --limit seconds, imports and compiling included, or that is killed for its
memory is told as such. The memory is the peak of what is resident, pages of mapped files included.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parent))


def place(how: str, path: str, faces: int, seed: int, threads: int) -> None:
    """One way's maps of the first so many faces."""
    if how == "ours":
        from facesort.pages.maps import map_faces

        map_faces({"pool": (Path(path), np.arange(faces))}, seed)
        return
    embeddings = np.array(np.load(path, mmap_mode="r")[:faces])
    if how == "openTSNE":
        from openTSNE import TSNE

        TSNE(random_state=seed, n_jobs=threads).fit(embeddings)
    else:
        from umap import UMAP

        UMAP(random_state=seed).fit_transform(embeddings)


def measure(how: str, path: str, seed: int, threads: int) -> dict[str, float]:
    """One way, in this process."""
    faces = len(np.load(path, mmap_mode="r"))
    if how != "openTSNE":
        with tempfile.TemporaryDirectory() as folder:
            few = Path(folder) / "few.npy"
            np.save(few, np.random.default_rng(0).standard_normal((300, 600), np.float32))
            place(how, str(few), 300, seed, threads)
    began, cpu = time.perf_counter(), time.process_time()
    place(how, path, faces, seed, threads)
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    from kmeans_vs_sklearn import embeddings

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=2500)
    parser.add_argument("--width", type=int, default=80_000)
    parser.add_argument("--embeddings", help="a .npy file instead of made-up embeddings")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="of openTSNE (1)")
    parser.add_argument("--limit", type=int, default=3600, help="seconds of each run (3600)")
    parser.add_argument("--only", choices=("ours", "openTSNE", "umap-learn"))
    parser.add_argument("--folder", help="where made-up embeddings lie meanwhile")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        fit = (options.measure, options.embeddings, options.seed, options.threads)
        print(json.dumps(measure(*fit)))
        return
    with embeddings(options) as path:
        print(f"{np.load(path, mmap_mode='r').shape}, load {os.getloadavg()[0]:.1f}", flush=True)
        for how in [options.only] if options.only else ["ours", "openTSNE", "umap-learn"]:
            command = [sys.executable, __file__, "--embeddings", path, "--measure", how]
            command += ["--seed", str(options.seed), "--threads", str(options.threads)]
            try:
                printed = subprocess.run(
                    command,
                    check=True,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    timeout=options.limit,
                    env=os.environ | {"OMP_NUM_THREADS": str(options.threads)},
                )
                print(how, json.loads(printed.stdout), flush=True)
            except subprocess.TimeoutExpired:
                print(how, f"has not ended after {options.limit} s", flush=True)
            except subprocess.CalledProcessError as error:
                print(how, f"failed with status {error.returncode}", flush=True)


if __name__ == "__main__":
    main()
