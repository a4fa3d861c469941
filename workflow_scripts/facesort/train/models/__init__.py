"""The models, one short file each: the paper's four (section 4), and those that go beyond it.

Every model is a ``torch.nn.Module`` built by its file's ``build(shape, settings)`` and answers to a
few of these, each for a batch ``x``: float (B, C, H, W) in [0, 1], (B, 478, 3) landmarks, or
(B, M) strengths of movements:

- ``embed(x)``: the embedding, float (B, D); all models;
- ``reconstruct(x)``: the decoder's last layer before its activation, float (B, C, H, W), which
  ``activate`` turns to pixels; all models with a decoder;
- ``classify(x)``: logits over the eight emotions, float (B, 8); all models with a classifier;
- ``phase_parameters(phase)``: what a training phase may change;
- ``phase_loss(phase, x, target)``: a batch's loss in phases other than "reconstruct" and
  "classify";
- ``fit(faces, rows, labels, seed)``: learns at once, without phases.

This file imports nothing heavy: the Snakefile reads it too.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Literal


@dataclass(frozen=True)
class Kind:
    """What the rules must know of a model.

    Attributes:
        answers: how it tells a face's emotion: by the name of its cluster, by a classifier, or by
            the nearest labelled faces.
        learns_from: sets that it trains on: "pool" (unlabelled faces), "labelled" (the training
            part), "triplets" (FEC's comparisons of faces of the pool), "landmarks" (the pool's,
            beside what it sees).
        supervision: what people told it, for the tables.
        view: what it sees, where its settings do not say: whole faces, landmarks, strengths of
            movements, or tight crops aligned by landmarks.
        chooses: whether settings are chosen without labels, by ``facesort.train.stability``.
        reconstructs: whether it has a decoder whose pictures are shown.
    """

    answers: Literal["clusters", "classifier", "neighbours"]
    learns_from: tuple[str, ...]
    supervision: Literal["none", "comparisons", "labels"]
    view: Literal["faces", "landmarks", "movements", "aligned"] = "faces"
    reconstructs: bool = False
    chooses: bool = False


# In the order of the tables.
MODELS: Final = {
    "stacked": Kind("clusters", ("pool",), "none", reconstructs=True),
    "convolutional": Kind("clusters", ("pool",), "none", reconstructs=True),
    "geometry": Kind("clusters", ("pool",), "none", view="landmarks", chooses=True),
    "selfsupervised": Kind("clusters", ("pool", "landmarks"), "none", view="aligned", chooses=True),
    "action_units": Kind("classifier", ("pool",), "none", view="movements"),
    "triplet": Kind("neighbours", ("pool", "triplets"), "comparisons"),
    "semi_supervised": Kind("classifier", ("pool", "labelled"), "labels", reconstructs=True),
    "supervised": Kind("classifier", ("labelled",), "labels"),
    "engineered_linear": Kind("classifier", ("labelled",), "labels", view="landmarks"),
    "engineered_rbf": Kind("classifier", ("labelled",), "labels", view="landmarks"),
    "transformer": Kind("classifier", ("labelled",), "labels"),
    "transfer": Kind("classifier", ("labelled",), "labels"),
}


def build(name: str, shape: tuple[int, ...], settings: dict[str, Any]) -> Any:
    """Build a model by name with fresh weights from torch's global generator.

    Args:
        name: one of ``MODELS``.
        shape: of its input: (height, width, channels), (478, 3) landmarks,
            or (M,) movements.
        settings: the model's block of the config.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}; there are {', '.join(MODELS)}")
    return import_module(f"facesort.train.models.{name}").build(shape, settings)
