"""An empty figure, and a saved one: matplotlib's objects, no display and no global state."""

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches."""
    # "compressed" is the constrained layout that knows of images' fixed proportions.
    figure = Figure(figsize=(width, height), layout="compressed", dpi=120)
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: str | Path) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    # Without the version in its metadata, equal figures are equal files.
    figure.savefig(path, metadata={"Software": None})
