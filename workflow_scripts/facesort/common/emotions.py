"""The eight emotions of AffectNet, the only classes that the workflow knows."""

from typing import Final

EMOTIONS: Final = (
    "anger",
    "contempt",
    "disgust",
    "fear",
    "happy",
    "neutral",
    "sad",
    "surprise",
)
# What a person may call a cluster that has no emotion, and what one is called before it has a name.
MIXED: Final = "mixed"
UNNAMED: Final = "unnamed"
