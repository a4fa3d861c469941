"""Time, memory and inertia of ``fit_clusters`` beside scikit-learn's KMeans.

    ./run python tests/benchmarks/kmeans_vs_sklearn.py --faces 5000 --width 80000
    ./run python tests/benchmarks/kmeans_vs_sklearn.py --embeddings results/.../embeddings.npy
    ./run python tests/benchmarks/kmeans_vs_sklearn.py --faces 25000 --only ours --threads 2

Each runs in a process of its own, ours first and scikit-learn's after it, and again in the other
order with --rounds 2. Anonymous memory (RssAnon) is sampled; pages of the mapped file, which the
kernel can drop at any time, do not count. scikit-learn gets the same mapped float32 matrix, and
both get --threads.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))


def make_embeddings(path: Path, faces: int, width: int, seed: int = 0) -> None:
    """Embeddings like a convolutional encoder's: smooth spectrum, weak groups, SELU's offset."""
    rng = np.random.default_rng(seed)
    factors = 400
    strength = (np.arange(1, factors + 1) ** -0.7).astype(np.float32)
    loadings = rng.standard_normal((factors, width), np.float32) * strength[:, None]
    groups = rng.standard_normal((12, factors), np.float32)
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(faces, width))
    for start in range(0, faces, 500):
        stop = min(start + 500, faces)
        z = rng.standard_normal((stop - start, factors), np.float32)
        x = (z + groups[rng.integers(12, size=stop - start)]) @ loadings
        x += rng.standard_normal((stop - start, width), np.float32)
        out[start:stop] = np.where(x > 0, 1.05 * x, 1.76 * np.expm1(np.minimum(x, 0)))
    out.flush()


@contextmanager
def embeddings(options: argparse.Namespace) -> Iterator[str]:
    """The file that was named, or one of made-up embeddings, which is removed afterwards."""
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        if options.embeddings:
            yield options.embeddings
            return
        path = Path(folder) / "embeddings.npy"
        make_embeddings(path, options.faces, options.width)
        yield str(path)


class PeakMemory(threading.Thread):
    """The most anonymous memory of this process, in MB, sampled every 20 ms."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0

    def run(self) -> None:
        while True:
            status = Path("/proc/self/status").read_text(encoding="ascii")
            self.peak = max(self.peak, int(status.split("RssAnon:")[1].split()[0]) / 1024)
            time.sleep(0.02)


def measure(
    how: str, path: str, clusters: int, starts: int, seed: int, threads: int
) -> dict[str, float]:
    """One fit, in this process."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    from facesort.cluster.kmeans import fit_clusters

    pool = np.load(path, mmap_mode="r")
    memory = PeakMemory()
    memory.start()
    began, cpu = time.perf_counter(), time.process_time()
    if how == "ours":
        settings = {"clusters": clusters, "starts": starts, "seed": seed, "threads": threads}
        inertia = fit_clusters(pool, pool[:10], **settings).inertia
    else:
        with threadpool_limits(threads):
            inertia = KMeans(clusters, n_init=starts, random_state=seed).fit(pool).inertia_
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "anonymous_mb": round(memory.peak),
        "inertia": float(inertia),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=5000)
    parser.add_argument("--width", type=int, default=80_000)
    parser.add_argument("--embeddings", help="a .npy file instead of made-up embeddings")
    parser.add_argument("--clusters", type=int, default=8)
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", choices=("ours", "sklearn"))
    parser.add_argument("--folder", help="where made-up embeddings lie meanwhile")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    fit = (options.clusters, options.starts, options.seed, options.threads)
    if options.measure:
        print(json.dumps(measure(options.measure, options.embeddings, *fit)))
        return
    with embeddings(options) as path:
        print(f"{np.load(path, mmap_mode='r').shape}, {options.clusters} clusters,", end=" ")
        print(f"{options.starts} starts, {options.threads} threads, load {os.getloadavg()[0]:.1f}")
        order = [options.only] if options.only else ["ours", "sklearn"]
        found: dict[str, list[dict[str, float]]] = {how: [] for how in order}
        for turn in range(options.rounds):
            for how in order if turn % 2 == 0 else order[::-1]:
                command = [sys.executable, __file__, "--embeddings", path, "--measure", how]
                command += ["--clusters", str(fit[0]), "--starts", str(fit[1])]
                command += ["--seed", str(fit[2]), "--threads", str(fit[3])]
                printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                found[how].append(json.loads(printed.stdout))
                print(how, found[how][-1], flush=True)
        if not options.only:
            ours, theirs = (sum(r["cpu_seconds"] for r in found[how]) for how in order)
            ratio = found["ours"][-1]["inertia"] / found["sklearn"][-1]["inertia"]
            print(f"sklearn / ours, CPU time: {theirs / ours:.1f}; inertia: {1 / ratio:.5f}")


if __name__ == "__main__":
    main()
