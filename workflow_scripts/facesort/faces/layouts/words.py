"""What labels mean: words for the eight emotions, and numbers in the orders of known sets."""

import re
from collections.abc import Iterable
from typing import Final

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError

SPELLINGS: Final = {
    "anger": "angry",
    "contempt": "contemptuous disdain disdainful scorn",
    "disgust": "disgusted",
    "fear": "fearful afraid scared",
    "happy": "happiness happily joy joyful",
    "neutral": "neutrality normal",
    "sad": "sadness sadly",
    "surprise": "surprised",
}
EMOTION_OF: Final = {
    word: emotion for emotion in EMOTIONS for word in (emotion, *SPELLINGS[emotion].split())
}
# Labels of AffectNet and FER+ that name no emotion.
NO_EMOTION: Final = {"none", "uncertain", "noface", "unknown", "nf"}
# What numbers mean, and the first of them, from each set's own description: see docs/labelled.md.
_ORDERS: Final = {
    "affectnet": (
        0,
        "neutral happy sad surprise fear disgust anger contempt none uncertain noface",
    ),
    "raf_db": (1, "surprise fear disgust happy sad anger neutral"),
    "fer2013": (0, "anger disgust fear happy sad surprise neutral"),
    "ferplus": (0, "neutral happy surprise sad anger disgust fear contempt"),
}
ORDERS: Final = {
    name: dict(enumerate(words.split(), first)) for name, (first, words) in _ORDERS.items()
}
PARTS: Final = {
    "train": "train training",
    "val": "val valid validation dev publictest",
    "test": "test testing privatetest",
}


def meaning_of(word: str) -> str | None:
    """The emotion that a folder or a label names, "" for none of them on purpose, or None."""
    # Some number what they also name: "03_happy".
    word = re.sub(r"^\d+[\s._-]+(?=\D)|[\s_-]", "", word.strip().casefold())
    return "" if word in NO_EMOTION else EMOTION_OF.get(word)


def part_of(name: str) -> str | None:
    """The part of a set that the name of a folder or a file tells: "train", "val" or "test"."""
    words = set(re.split(r"[^a-z]+", name.casefold()))
    found = [part for part, spellings in PARTS.items() if words & set(spellings.split())]
    return found[0] if len(found) == 1 else None


def is_number(label: str) -> bool:
    return re.fullmatch(r"\s*[0-9]{1,2}(\.0*)?\s*", label) is not None


def meanings(labels: Iterable[str], numbers: str | list[str], where: str) -> dict[str, str]:
    """What each label means.

    Args:
        labels: of a table or a tree; words or numbers.
        numbers: ``data.numbers`` of the config: "auto", one of ``ORDERS``, or a list of emotions in
            the order of their numbers from 0.
        where: the table or folder, for messages.

    Returns:
        By label: an emotion, or "" for one that says on purpose that it is none. A label that means
        nothing is left out.

    Raises:
        InputError: if there are numbers of an order that nobody can guess.
    """
    labels = set(labels)
    found = {label: meaning_of(label) for label in labels if not is_number(label)}
    numbered = {label: int(float(label)) for label in labels if is_number(label)}
    if numbered:
        order = _order(set(numbered.values()), numbers, where)
        found |= {label: meaning_of(order.get(number, "?")) for label, number in numbered.items()}
    return {label: meaning for label, meaning in found.items() if meaning is not None}


def _order(found: set[int], numbers: str | list[str], where: str) -> dict[int, str]:
    if not isinstance(numbers, str):
        if unknown := [word for word in numbers if meaning_of(word) is None]:
            raise InputError(
                f"{unknown[0]!r} is none of {', '.join(EMOTIONS)} (config: data.numbers)"
            )
        return dict(enumerate(numbers))
    if numbers == "auto":
        if found == set(range(1, 8)):
            numbers = "raf_db"
        elif set(range(8)) <= found <= set(ORDERS["affectnet"]):
            numbers = "affectnet"
        else:
            listed = ", ".join(map(str, sorted(found)[:12]))
            raise InputError(
                f"{where}: classes are numbered {listed}: in which order? (config: data.numbers: "
                f"{', '.join(ORDERS)}, or a list of emotions from 0)"
            )
        listed = ", ".join(f"{n} {word}" for n, word in ORDERS[numbers].items() if n in found)
        print(f"{where}: its numbers are read as {listed} (config: data.numbers)")
    return ORDERS[numbers]
