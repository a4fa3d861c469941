"""The parts of the labelled set: which faces name clusters, train, and score (4.3, 4.4).

One split serves every model, variant and seed, so all cells of the table are scored on the same
faces. It is stratified by label and seeded, and copies of one face (equal pixels, or
near duplicates) stay together.
"""

import numpy as np
import pandas as pd

from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError


def groups_of(count: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Number the groups that pairs join: int64 (count,), the lowest of each face's group.

    Args:
        count: number of faces.
        first, second: int (P,), the two faces of each pair.
    """
    group = np.arange(count)
    while True:
        lower = group.copy()
        lowest = np.minimum(group[first], group[second])
        np.minimum.at(lower, first, lowest)
        np.minimum.at(lower, second, lowest)
        if np.array_equal(lower, group):
            return group
        group = lower


def emotions_in(faces: pd.DataFrame, where: str) -> list[str]:
    """The emotions that faces have, in the order of ``EMOTIONS``.

    Raises:
        InputError: if there are fewer than two.
    """
    found = [emotion for emotion in EMOTIONS if (faces["label"] == emotion).any()]
    if len(found) < 2:
        raise InputError(
            f"{where}: all are {' or '.join(found) or 'without a label'}; at least two emotions "
            "are needed (config: data.labelled)"
        )
    return found


def own_parts(index: pd.DataFrame, name: pd.Series) -> pd.Series:
    """The parts that the set itself gives its faces.

    Its test part is scored, or where it has none its val part. Faces of train that are copies of
    scored ones are left out, and so are those of val beside a test part, or of no part.

    Args:
        index: a row a labelled face, with a column ``part``: "train", "val", "test" or null.
        name: of each face, the same for copies.

    Returns:
        Of each face "train", "test" or "left_out".

    Raises:
        InputError: if the set has no split of its own.
    """
    part = index.get("part", pd.Series(None, index.index, "object"))
    tested = "test" if (part == "test").any() else "val"
    scored, learnt = part == tested, part == "train"
    if not (scored.any() and learnt.any()):
        raise InputError(
            "split.from: the labelled set has no split of its own (a train part, and a test or val "
            "part); set it to faces in the config"
        )
    copied = learnt & name.isin(name[scored])
    print(
        f"the set's own split: {learnt.sum():,} faces of train; {scored.sum():,} of {tested}, which"
        f" are scored; {(~scored & ~learnt).sum():,} others, which are left out"
    )
    if tested == "val":
        print("warning: the labelled set has no test part; its val part is scored")
    if copied.any():
        print(
            f"warning: {copied.sum():,} faces of the labelled set's train part are left out, as "
            f"copies of {(scored & name.isin(name[copied])).sum():,} of its {tested} part"
        )
    parts = np.select([scored, learnt & ~copied], ["test", "train"], "left_out")
    return pd.Series(parts, index.index)


def split_labelled(
    index: pd.DataFrame,
    duplicates: pd.DataFrame,
    *,
    source: str,
    naming: int,
    test: float,
    semi: float,
    seed: int,
) -> pd.DataFrame:
    """Give every labelled face its part.

    Args:
        index: a row a labelled face, with columns ``label`` and ``digest`` (of its pixels), and
            ``part`` as ``own_parts`` takes it.
        duplicates: pairs of near duplicates: ``first``, ``second`` (rows of ``index``).
        source: "faces" draws all parts from all faces; "data" keeps the set's own test part, and
            draws those that name from its train part.
        naming: faces an emotion that name clusters, and do nothing else.
        test: share of each emotion's faces that is scored, in (0, 1); "data" needs none.
        semi: share of all labelled faces that the semi-supervised model learns from, taken from
            the training part; of each emotion at least one face.
        seed: of the split.

    Returns:
        A frame with ``index``'s rows: ``part`` ("naming", "train" or "test"; with "data" also
        "left_out") and ``semi`` (bool; true only in "train").

    Raises:
        InputError: if there are fewer than two emotions, one of them has too few different faces
            for its parts, or "data" finds no split.
    """
    generator = np.random.default_rng(seed)
    emotions = emotions_in(index, "labelled faces")
    _, first_row, copies = np.unique(
        index["digest"].to_numpy(str), return_index=True, return_inverse=True
    )
    group = groups_of(
        len(index),
        np.concatenate([np.arange(len(index)), duplicates["first"].to_numpy(np.int64)]),
        np.concatenate([first_row[copies], duplicates["second"].to_numpy(np.int64)]),
    )
    # Known by a digest, so that the split does not depend on the order of the faces.
    name = index.groupby(group)["digest"].transform("min")
    own = pd.Series("train", index.index)
    if source == "data":
        own = own_parts(index, name)
        emotions_in(index[own == "test"], "the labelled set's own test part")
    drawn = own == "train"
    # A face whose copies carry different labels goes with the first of them.
    first_label = index[drawn].groupby(name[drawn], sort=True)["label"].first()
    copied = name[drawn].value_counts() > 1
    part_of: dict[str, str] = {}
    semi_names: set[str] = set()
    for emotion in emotions:
        names = first_label.index[first_label == emotion].to_numpy()
        generator.shuffle(names)
        tested = name[(own == "test") & (index["label"] == emotion)].nunique()
        scored = round(test * len(names)) if source == "faces" else 0
        learnt = max(1, round(semi * (len(names) + tested)))
        if len(names) < naming + scored + learnt or (source == "faces" and scored < 1):
            where = "labelled faces" if source == "faces" else "the labelled set's own train part"
            raise InputError(
                f"{where}: {emotion} has {len(names)} different faces, too few for "
                f"{naming} to name clusters, {scored} to score and {learnt} to learn from; "
                "add faces or lower split.naming, split.test or split.semi in the config"
            )
        if scored + tested < 1:
            print(f"warning: the labelled set's own test part has no {emotion}: it is not scored")
        part_of |= dict.fromkeys(names[:scored], "test")
        rest = names[scored:]
        # Faces without copies name first: each copy would vote too, and emotions not alike.
        first = np.argsort(copied[rest].to_numpy(), kind="stable")[:naming]
        part_of |= dict.fromkeys(rest[first], "naming")
        train = np.delete(rest, first)
        part_of |= dict.fromkeys(train, "train")
        semi_names |= set(train[:learnt])
    part = name.map(part_of)
    return pd.DataFrame({"part": part.where(drawn, own), "semi": drawn & name.isin(semi_names)})
