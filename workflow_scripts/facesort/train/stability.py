"""Settings and epochs chosen without labels: by how stable the clusters are.

Source: Ben-Hur et al. 2002, https://pubmed.ncbi.nlm.nih.gov/11928511/
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from facesort.common.arrays import write_whole
from facesort.common.job import InputError
from facesort.train.batches import read_batches
from facesort.train.devices import Device

# Faces of the pool that are clustered; and how often, each time divided in two anew.
FACES: Final = 6000
REPEATS: Final = 5
CRITERION: Final = (
    f"stability: mean adjusted Rand index of K-means on {REPEATS} pairs of halves of at most "
    f"{FACES:,} faces of the pool"
)


def stability(embeddings: np.ndarray, clusters: int, seed: int) -> float:
    """How far two halves of the faces agree on the clusters of all of them.

    Args:
        embeddings: float (n, d), at least two faces a cluster.

    Returns:
        Mean adjusted Rand index: 1 if both halves give the same clusters, 0 by chance.

    Raises:
        InputError: if there are fewer faces.
    """
    if len(embeddings) < 2 * clusters:
        raise InputError(
            f"{len(embeddings)} faces are too few to measure the stability of {clusters} clusters, "
            "which takes two per cluster; raise faces.sample or lower clustering.clusters in the "
            "config"
        )
    # Two seconds to import, which models that choose nothing need not wait for.
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score
    from threadpoolctl import threadpool_limits

    generator = np.random.default_rng(seed)
    agreements = []
    with threadpool_limits(1):
        for repeat in range(REPEATS):
            order = generator.permutation(len(embeddings))
            halves = np.array_split(order, 2)
            one, other = (
                KMeans(clusters, n_init=3, random_state=repeat)
                .fit(embeddings[half])
                .predict(embeddings)
                for half in halves
            )
            agreements.append(adjusted_rand_score(one, other))
    return float(np.mean(agreements))


def sample_rows(rows: np.ndarray, seed: int) -> np.ndarray:
    """At most ``FACES`` of the rows, ascending."""
    return np.sort(np.random.default_rng(seed).permutation(rows)[:FACES])


@torch.no_grad()
def apply_to_rows(
    function: Callable[[Tensor], Tensor], faces: np.ndarray, rows: np.ndarray, device: Device
) -> np.ndarray:
    """What a function of a batch says of some faces: float32 (n, d)."""
    batches = [rows[start : start + 256] for start in range(0, len(rows), 256)]
    parts = []
    for _, x in read_batches(faces, batches, device.device):
        with device.autocast():
            parts.append(function(x).float().cpu().numpy())
    return np.concatenate(parts)


class Choice:
    """Tries candidates of a model as it learns, and keeps the most stable one.

    The model names its ``setting`` and its ``candidates``, a list of numbers, and takes one by
    ``choose(candidate)``. Its embedding is ``weigh(codes(x))``, of which ``weigh`` alone depends on
    the candidate. Found scores and the best weights wait in a folder, so that a run that goes on
    after a stop still has them.

    Args:
        model: without ``candidates``, nothing is chosen; else moved to the device.
        faces, rows: of the pool, as for training.
        epochs: after which the candidates are tried; 0 stands for a model that learns at once.
        clusters: as many as K-means will make.
        folder, identity: as of the run's ``Checkpoint``; what another run tried is ignored.
        targets: float32 (N, d), what ``model.correlate`` is shown beside the codes before the
            candidates are tried; None for models without.
    """

    def __init__(
        self,
        model: Any,
        faces: np.ndarray,
        rows: np.ndarray,
        epochs: list[int],
        clusters: int,
        seed: int,
        device: Device,
        folder: Path,
        identity: str,
        targets: np.ndarray | None = None,
    ) -> None:
        self.model, self.faces, self.rows, self.epochs = model, faces, rows, epochs
        self.clusters, self.seed, self.device, self.folder = clusters, seed, device, folder
        self.identity, self.targets = identity, targets

    def after_epoch(self, epoch: int) -> None:
        """Try all candidates, if it is time to."""
        if not hasattr(self.model, "candidates") or epoch not in self.epochs:
            return
        tried = [line for line in self._tried() if line["epoch"] != epoch]
        rows = sample_rows(self.rows, self.seed)
        self.model.to(self.device.device).eval()  # a model that learns at once has not been there
        self.folder.mkdir(parents=True, exist_ok=True)
        codes = torch.from_numpy(apply_to_rows(self.model.codes, self.faces, rows, self.device))
        if self.targets is not None:
            self.model.correlate(codes, torch.from_numpy(self.targets[rows]))
        codes = codes.to(self.device.device)
        for candidate in self.model.candidates:
            self.model.choose(candidate)
            embeddings = self.model.weigh(codes).cpu().numpy()
            found = stability(embeddings, self.clusters, self.seed)
            if all(found > line["stability"] for line in tried):
                weights = {k: v.cpu().contiguous() for k, v in self.model.state_dict().items()}
                with write_whole(self._weights) as part:
                    save_file(weights, part)
            tried.append({"epoch": epoch, "candidate": candidate, "stability": found})
            print(f"after epoch {epoch}, {candidate}: stability {found:.3f}")
        with write_whole(self._scores) as part:
            part.write_text(json.dumps({"identity": self.identity, "tried": tried}), "utf-8")

    def finish(self) -> dict[str, Any]:
        """Give the model the best weights; what was tried and chosen, for ``model.json``."""
        tried = self._tried()
        if not tried:
            return {}
        best = max(tried, key=lambda line: line["stability"])
        self.model.load_state_dict(load_file(self._weights))
        return {
            "criterion": CRITERION,
            "setting": self.model.setting,
            "tried": tried,
            "chosen": best,
        }

    @property
    def _scores(self) -> Path:
        return self.folder / "choice.json"

    @property
    def _weights(self) -> Path:
        return self.folder / "choice.safetensors"

    def _tried(self) -> list[dict[str, Any]]:
        if not self._scores.is_file():
            return []
        saved = json.loads(self._scores.read_text(encoding="utf-8"))
        return list(saved["tried"]) if saved["identity"] == self.identity else []
