"""The parts of the labelled set: which faces name clusters, train, and score (4.3, 4.4).

One split serves every model, variant and seed, so all cells of the table are scored on the same
faces. It is stratified by label and seeded, and copies of one face (equal pixels) stay together.
"""

import numpy as np
import pandas as pd

from facesort.emotions import EMOTIONS
from facesort.job import InputError


def split_labelled(
    index: pd.DataFrame, *, naming: int, test: float, semi: float, seed: int
) -> pd.DataFrame:
    """Give every labelled face its part.

    Args:
        index: a row a labelled face, with columns ``label`` and ``digest`` (of its pixels).
        naming: faces an emotion that name clusters, and do nothing else.
        test: share of each emotion's faces that is scored, in (0, 1).
        semi: share of all labelled faces that the semi-supervised model learns from, taken from
            the training part.
        seed: of the split.

    Returns:
        A frame with ``index``'s rows: ``part`` ("naming", "train" or "test") and ``semi`` (bool;
        true only in "train").

    Raises:
        InputError: if an emotion has too few different faces for its parts.
    """
    generator = np.random.default_rng(seed)
    # A face whose copies carry different labels goes with the first of them.
    first_label = index.groupby("digest", sort=True)["label"].first()
    part_of: dict[str, str] = {}
    semi_digests: set[str] = set()
    for emotion in EMOTIONS:
        digests = first_label.index[first_label == emotion].to_numpy()
        generator.shuffle(digests)
        scored = round(test * len(digests))
        learnt = round(semi * len(digests))
        rest = len(digests) - naming - scored
        if scored < 1 or rest < max(1, learnt):
            raise InputError(
                f"labelled faces: {emotion} has {len(digests)} different faces, too few for "
                f"{naming} to name clusters, {scored} to score and {learnt} to learn from; "
                "add faces or lower split.naming, split.test or split.semi in the config"
            )
        part_of |= dict.fromkeys(digests[:scored], "test")
        part_of |= dict.fromkeys(digests[scored : scored + naming], "naming")
        train = digests[scored + naming :]
        part_of |= dict.fromkeys(train, "train")
        semi_digests |= set(train[:learnt])
    part = index["digest"].map(part_of)
    return pd.DataFrame({"part": part, "semi": index["digest"].isin(semi_digests)})
