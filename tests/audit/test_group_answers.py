"""What rows answer, and what is told of each face from it."""

import numpy as np
import pandas as pd

from facesort.audit.group_answers import (
    by_clusters,
    by_probabilities,
    joined,
    measures,
    of_clustering,
)
from facesort.cluster.kmeans import Clustering
from facesort.common.emotions import EMOTIONS

HAPPY, SAD = EMOTIONS.index("happy"), EMOTIONS.index("sad")


def test_a_classifier_is_as_sure_as_its_greatest_probability():
    given = np.zeros((2, 8), np.float32)
    given[0, [HAPPY, SAD]] = 0.75, 0.25
    given[1, SAD] = 1
    answers = joined([by_probabilities(given), by_probabilities(given[::-1])])
    assert answers.told.tolist() == [["happy", "sad"], ["sad", "happy"]]
    told = measures(answers, None, np.array(["happy", "happy"]))
    assert told["accuracy"].tolist() == [[1, 0], [0, 1]]
    assert told["overconfidence"].tolist() == [[-0.25, 1], [1, -0.25]]
    assert told["happy"].tolist() == [[1, 0], [0, 1]] and not told["fear"].any()
    assert "confidence" not in told
    without = measures(answers, None, None)
    assert without["confidence"].tolist() == [[0.75, 1], [1, 0.75]] and "accuracy" not in without


def test_clusters_answer_by_their_names_and_those_without_a_name_do_not():
    names = pd.DataFrame({"cluster": [0, 1, 2], "emotion": ["happy", "mixed", "sad"]})
    answers = by_clusters(np.array([2, 1, 0]), names)
    told = measures(answers, None, None)
    assert answers.told.tolist() == [["sad", "mixed", "happy"]] and "confidence" not in told
    assert told["answered"].tolist() == [[1, 0, 1]]
    clustering = Clustering(np.zeros((3, 2)), np.array([0, 0]), np.array([1, 2, 0]), 0.0)
    both = of_clustering(clustering, names, np.array([1, 2]))
    assert both["pool"].told.tolist() == [["happy", "happy"]]
    assert both["test"].told.tolist() == [["sad", "happy"]]


def test_who_sees_landmarks_answers_for_faces_that_have_them():
    answers = by_probabilities(np.eye(8)[[HAPPY, SAD]])
    told = measures(answers, np.array([True, False]), None)
    assert told["answered"].tolist() == [[1, 0]] and told["sad"].tolist() == [[0, 1]]
