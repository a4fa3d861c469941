"""What is wrong with a face in a photo: how much, and in words.

A fault is 0 where there is none and 1 where it spoils the face; from ``TOLD`` on it is told. A face
is as good as the product of what its faults leave, a photo as its worst face (maximin): who chooses
among photos of a group wants none of them to look bad.
"""

from typing import Final

import numpy as np
import pandas as pd

from facesort.archive.face_reader import SHARP
from facesort.archive.tables import APPARENT, BOX, KEY
from facesort.common.emotions import EMOTIONS

# What is said of a face with each fault, and of one that has more of it than in the best photo.
WORDS: Final = {
    "closed": ("has the eyes closed", "has the eyes less open"),
    "away": ("looks away", "looks further away"),
    "covered": ("is covered", "is covered"),
    "blurred": ("is blurred", "is less sharp"),
    "unsmiling": ("does not smile", "smiles less"),
}
# What a fault takes at most. A face need not smile; of two that are good otherwise it decides.
WEIGHTS: Final = {"closed": 1.0, "away": 1.0, "covered": 1.0, "blurred": 1.0, "unsmiling": 0.2}
TOLD: Final = 0.5
# Degrees by which a head is turned, or the eyes in it, at which a face looks away altogether.
AWAY: Final = 40.0
# Degrees that eyes turn while an iris moves by an eye's width: an eyeball of 24 mm, an eye of 30.
GAZE: Final = 140.0
# Of a photo those faces count that are so large beside its largest: others only happen to be there.
LARGE: Final = 1 / 3
BLINKS, GAZES = (["eyeBlinkLeft", "eyeBlinkRight"], ["gazeAcrossLeft", "gazeAcrossRight"])
# What this stage reads of ``faces.parquet``.
COLUMNS: Final = (
    *(*KEY, *BOX, "size", "yaw", "pitch", "sharpness", "state", *BLINKS, *GAZES),
    *(*APPARENT, *EMOTIONS, "tags", "look"),
)


def counted(faces: pd.DataFrame) -> pd.DataFrame:
    """The faces that count, with their place from the left and how good they are.

    Args:
        faces: rows of ``faces.parquet``, at least ``COLUMNS``.

    Returns:
        Its rows without those that are too small; columns more: ``place`` (from 0) and ``of`` among
        the photo's, the faults, and ``good``, 0 to 1.
    """
    largest = faces.groupby("photo")["size"].transform("max")
    kept = faces[(faces["state"] != "small") & (faces["size"] >= LARGE * largest)]
    kept = kept.sort_values(["photo", "left"], ignore_index=True)
    by_photo = kept.groupby("photo")
    kept["place"] = by_photo.cumcount()
    kept["of"] = by_photo["place"].transform("size")
    kept = kept.assign(**faults(kept))
    left = 1 - kept[list(WEIGHTS)] * pd.Series(WEIGHTS)
    return kept.assign(good=left.prod(axis=1))


def faults(faces: pd.DataFrame) -> dict[str, np.ndarray]:
    """The faults of faces, each (N,), 0 to 1; of faces that are not answered what is known."""
    state = faces["state"].to_numpy()
    blink = faces[BLINKS].mean(axis=1).to_numpy()
    across, up = np.radians(faces["yaw"]), np.radians(faces["pitch"])
    head = np.degrees(np.arccos(np.cos(across) * np.cos(up)))
    # Eyes at the camera do not make up for a turned head: it hides half the face.
    eyes = GAZE * faces[GAZES].mean(axis=1).abs().fillna(0)
    smile = faces[["smiling", "happy"]].max(axis=1).to_numpy()
    found = {
        "closed": blink,
        "away": np.where(state == "turned", 1, np.maximum(head, eyes) / AWAY),
        "covered": state == "covered",
        "blurred": SHARP / np.maximum(faces["sharpness"], 1e-6),
        "unsmiling": 1 - smile,
    }
    return {name: np.clip(np.nan_to_num(fault), 0, 1) for name, fault in found.items()}


def whose(place: int, of: int) -> str:
    """A face in words: "the second face from the left"."""
    return "the face" if of == 1 else f"the {ordinal(place + 1)} face from the left"


def ordinal(number: int) -> str:
    """ "first" to "sixth", then "7th" and so on."""
    words = ("first", "second", "third", "fourth", "fifth", "sixth")
    if number <= len(words):
        return words[number - 1]
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ends.get(number % 10, 'th')}"
