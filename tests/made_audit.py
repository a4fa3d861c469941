"""Answers of made-up rows for made-up people: what tests of the audit share."""

from functools import cache

import numpy as np
import pandas as pd

from facesort.audit.gap_table import Faces
from facesort.audit.group_answers import by_probabilities
from facesort.common.emotions import EMOTIONS


def drawn(rng, groups, skill):
    """Probabilities of n faces and their labels: the better the skill, the more often right."""
    labels = rng.choice(8, len(groups), p=[0.05, 0.05, 0.05, 0.05, 0.4, 0.2, 0.1, 0.1])
    logits = rng.normal(size=(len(groups), 8))
    logits[np.arange(len(groups)), labels] += skill
    odds = np.exp(logits)
    return odds / odds.sum(1, keepdims=True), np.array(EMOTIONS)[labels]


def people(rng, n):
    return pd.DataFrame(
        {
            "age": rng.choice(["13 to 17", "30 to 44", "60 and over"], n, p=[0.2, 0.6, 0.2]),
            "sex": rng.choice(["f", "m", "not told"], n, p=[0.5, 0.4, 0.1]),
        }
    )


def make_sets(rng, n, skill_of=lambda groups: 1.5):
    """A row ``supervised`` on rgb: its answers and its faces, of the pool and scored ones."""
    answers, sets = {}, {}
    for name in ("pool", "test"):
        groups = people(rng, n)
        told, labels = drawn(rng, groups, skill_of(groups))
        answers[name] = by_probabilities(told)
        found = {"rgb": rng.random(n) < 0.97}
        sets[name] = Faces(groups, found, labels if name == "test" else None)
    return {("supervised", "rgb"): answers}, sets


@cache
def biased():
    """Of people of 60 and over, few are told right."""
    rng = np.random.default_rng(5)

    def skill_of(groups):
        return np.where(groups["age"] == "60 and over", 0.2, 2.0)

    return make_sets(rng, 1500, skill_of)
