"""umap-learn started without its search for neighbours, and with what it compiles kept."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import json, sys
import numpy as np
from facesort.pages.maps import place
place(np.random.default_rng(0).normal(size=(40, 5)).astype("f4"), 0)
from umap import umap_
stats = umap_.smooth_knn_dist.stats
print(json.dumps({
    "pynndescent": "pynndescent" in sys.modules,
    "found": sum(stats.cache_hits.values()), "compiled": sum(stats.cache_misses.values()),
}))
"""


def test_nothing_is_compiled_twice_nor_for_a_search_that_is_not_used(tmp_path):
    env = {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT / "workflow_scripts")}
    first, second = (
        json.loads(
            subprocess.run(
                [sys.executable, "-c", RUN],
                env=os.environ | env,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for _ in range(2)
    )
    assert first == {"pynndescent": False, "found": 0, "compiled": 1}
    assert second == {"pynndescent": False, "found": 1, "compiled": 0}
