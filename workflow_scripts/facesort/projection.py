"""Embeddings laid out in the plane (figures 5 and 7)."""

import numpy as np
from openTSNE import TSNE
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

_PCA_WIDTH = 50


def tsne(embeddings: np.ndarray, seed: int) -> np.ndarray:
    """Lay embeddings out with t-SNE (van der Maaten and Hinton 2008), started from PCA.

    Wide embeddings are first reduced to 50 principal components. Runs on one thread, so that the
    same embeddings give the same picture on any number of cores.

    Args:
        embeddings: finite float32 (N, D), N at least 4.
        seed: of PCA's and t-SNE's random choices.

    Returns:
        float64 (N, 2).
    """
    count = len(embeddings)
    with threadpool_limits(1):
        width = min(_PCA_WIDTH, *embeddings.shape)
        reduced = PCA(width, svd_solver="randomized", random_state=seed).fit_transform(embeddings)
        if not reduced.std() > 0:  # a model that gives every face one embedding
            return np.zeros((count, 2))
        layout = TSNE(
            perplexity=min(30, (count - 1) / 3), initialization="pca", n_jobs=1, random_state=seed
        ).fit(reduced)
    return np.asarray(layout)
