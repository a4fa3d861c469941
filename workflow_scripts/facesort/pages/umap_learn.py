"""umap-learn, quick to start: UMAP.

Its import pulls in pynndescent, which compiles for half a minute the first time. That is a search
for neighbours, which ``maps`` brings itself, so a stand-in takes its place meanwhile. And what
umap-learn compiles in each process that uses it, for ten seconds, is kept on disk.
"""

import sys
from contextlib import suppress
from types import ModuleType
from typing import Any

import numba.core.dispatcher

STAND_INS: dict[str, dict[str, Any]] = {
    "pynndescent": {"NNDescent": type("NNDescent", (), {})},
    "pynndescent.distances": {"named_distances": {}},
    "pynndescent.sparse": {"sparse_named_distances": {}},
}


def _without_pynndescent() -> Any:
    """The class UMAP; it can be fitted where ``precomputed_knn`` is given."""
    ours = {name: ModuleType(name) for name in STAND_INS if name not in sys.modules}
    for name, module in ours.items():
        vars(module).update(STAND_INS[name])
    sys.modules |= ours
    try:
        from umap import UMAP, layouts, umap_, utils
    finally:
        for name in ours:
            del sys.modules[name]
    for module in (layouts, umap_, utils):
        for function in vars(module).values():
            if isinstance(function, numba.core.dispatcher.Dispatcher):
                with suppress(RuntimeError):  # no folder that can be written
                    function.enable_caching()
    return UMAP


UMAP = _without_pynndescent()
