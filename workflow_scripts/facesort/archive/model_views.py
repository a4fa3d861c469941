"""What a trained model is shown of a face: the kind and shape of it. No picture is opened here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facesort.common.job import InputError
from facesort.common.reading import read_json
from facesort.train.models import MODELS

# Of a face that is cut out by its box, the square is so much wider than the box's longer side.
MARGIN: Final = 1.2


@dataclass(frozen=True)
class View:
    """What a model sees.

    Attributes:
        kind: "faces", "aligned", "landmarks" or "movements".
        shape: of one face: (H, W, C), (478, 3) or (M,).
        variant: of faces.
    """

    kind: str
    shape: tuple[int, ...]
    variant: str

    @property
    def dtype(self) -> str:
        return "uint8" if self.kind in ("faces", "aligned") else "float32"


def view_of(folder: str) -> View:
    """What the model in a folder sees.

    Raises:
        InputError: if it is no model that answers by probabilities of emotions.
    """
    about = read_json(Path(folder) / "model.json")
    if not {"model", "shape", "settings", "variant", "emotions"} <= set(about):
        raise InputError(f"{folder}: not a model of this workflow (config: archive.model)")
    name = about["model"]
    if name not in MODELS or MODELS[name].answers != "classifier":
        raise InputError(
            f"{folder}: {name} gives no probabilities of emotions; name a classifier "
            "(config: archive.model)"
        )
    kind = about["settings"].get("view", MODELS[name].view)
    return View(kind, tuple(about["shape"]), about["variant"])
