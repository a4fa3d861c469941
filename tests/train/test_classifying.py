"""A classifier's answers: of the emotions that it has learnt, and of both sides of a face."""

import torch

from facesort.common.emotions import EMOTIONS
from facesort.train.classifying import answers_of


class Left:
    """Surer of the first emotion the brighter a face's left column is."""

    def classify(self, x):
        logits = torch.zeros(len(x), len(EMOTIONS))
        logits[:, 0] = x[:, 0, :, 0].mean(1)
        return logits


def faces():
    x = torch.zeros(2, 1, 4, 4)
    x[0, :, :, 0] = 3.0
    return x


def test_emotions_that_were_not_learnt_are_never_answered():
    told = answers_of(Left(), ["anger", "sad"], mirror=False)(faces())
    assert torch.allclose(told.sum(1), torch.ones(2))
    assert told[:, [EMOTIONS.index("anger"), EMOTIONS.index("sad")]].sum() == 2
    assert told[0, 0] > 0.9 and told[1, 0] == 0.5


def test_the_mirror_image_counts_as_much():
    plain, both = (answers_of(Left(), list(EMOTIONS), mirror)(faces()) for mirror in (False, True))
    assert torch.allclose(both[0], (plain[0] + plain[1]) / 2)
    assert torch.allclose(both[1], plain[1])
