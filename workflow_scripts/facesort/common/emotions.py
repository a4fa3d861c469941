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
