"""Peak memory of training on 5,000, 25,000 and 156,000 made-up faces of 200x200 rgb.

``./run python tests/benchmarks/training_memory.py`` trains a small stacked autoencoder for one
epoch over every face, each size in a process of its own, and prints a table in Markdown. The files
are sparse: they take no disk. ``ru_maxrss`` counts mapped pages too, so nothing hides there.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def train(count: int, threads: int) -> None:
    sys.path.insert(0, str(ROOT / "workflow_scripts"))
    import numpy as np
    import torch

    from facesort.common.arrays import open_array
    from facesort.train.checkpoints import Checkpoint
    from facesort.train.devices import choose_device
    from facesort.train.engine import Phase, fit
    from facesort.train.models import build

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pool.npy"
        shape = (count, 200, 200, 3)
        np.lib.format.open_memmap(path, "w+", np.uint8, shape)
        torch.manual_seed(0)
        fit(
            build("stacked", shape[1:], {"widths": [8, 4], "output": "sigmoid"}),
            [Phase("reconstruct", open_array(path), np.arange(count), None, 1, "adam", 0.001)],
            choose_device({"precision": "auto", "sharding": True}, threads),
            batch_size=32,
            seed=0,
            checkpoint=Checkpoint(Path(folder) / "last.pt", "", 10),
            label=f"{count:,} faces",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", nargs="+", type=int, default=[5_000, 25_000, 156_000])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        train(chosen.worker, chosen.threads)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return
    print("| faces | file, GB | peak memory, MB | seconds |\n| --- | --- | --- | --- |")
    for count in chosen.faces:
        began = time.monotonic()
        command = [sys.executable, __file__, "--worker", str(count), "--threads"]
        result = subprocess.run(
            [*command, str(chosen.threads)], check=True, stdout=subprocess.PIPE, text=True
        )
        peak = int(result.stdout.split()[-1]) / 1024
        seconds = time.monotonic() - began
        print(f"| {count:,} | {count * 120e3 / 1e9:.1f} | {peak:.0f} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
