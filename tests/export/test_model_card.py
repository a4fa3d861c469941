"""Model cards: every figure is that of its table, hubs can read them, and names are text."""

import re

import numpy as np
import pandas as pd
import pytest
import yaml
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt
from read_cards import figure, items, table
from small_run import ROOT

from facesort.common.emotions import EMOTIONS
from facesort.export.model_card import VERSION, evaluate, model_card
from facesort.score.intervals import accuracy_interval, estimate
from facesort.score.scores import score

HOSTILE = 'a|b</script><img src=x onerror="x">\n---\n# [x](javascript:y) `*_&amp; "q": {'
PRECISIONS = ("float32", "float16", "int8")


def made_answers(faces=400, seed=0, sure=3.0):
    """Answers that lean to the label, by emotion more or less; surprise is never the answer."""
    generator = np.random.default_rng(seed)
    labels = np.arange(faces) % 8
    logits = generator.normal(size=(faces, 8)) * sure
    logits[np.arange(faces), labels] += np.linspace(6, 0, 8)[labels]
    logits[:, EMOTIONS.index("surprise")] -= 50
    told = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    table = pd.DataFrame(told.astype(np.float32), columns=list(EMOTIONS))
    table.insert(0, "label", np.array(EMOTIONS)[labels])
    table.insert(0, "face", np.arange(faces) + 7)
    return table


def made_table(answers, worse=0.0):
    right = np.array(EMOTIONS)[answers[list(EMOTIONS)].to_numpy().argmax(1)] == answers["label"]
    base = {"ms_1": [1.25, 1.5, 0.75], "ms_32": 1.0, "n": len(answers), "compared": 1000}
    changes = {
        f"{name}{end}": [0.0, 0.001, -worse - shift]
        for name in ("accuracy_change", "balanced_change")
        for end, shift in (("", 0.02), ("_low", 0.03), ("_high", -0.0 if worse else -0.1))
    }
    return pd.DataFrame(
        {"precision": PRECISIONS, "bytes": [2_500_000, 1_250_001, 680_651]}
        | base
        | {"accuracy": [right.mean(), 0.5, 0.25], "balanced_accuracy": 0.5}
        | changes
        | {"equal": [1, 0.9990, 0.9490], "furthest": [6.4e-6, 4.4e-3, 0.28]}
    )


MADE = {
    "model": "supervised",
    "variant": "rgb",
    "seed": 3,
    "settings": {"filters": 16},
    "faces": {"classify": 1234},
    "layers": [{"parameters": 1000}, {"parameters": 234}],
    "code": "0123456789abcdef",
    "device": "cpu in float32",
    "versions": {"python": "3.11.7", "torch": "2.13.0"},
    "data": {"results/rgb/labelled.npy": "a" * 64, "/home/someone/secret/weights.pth": "b" * 64},
}
ABOUT = {
    "opset": 18,
    "outputs": {"probabilities": {}},
    "labels": list(EMOTIONS),
    "never_answered": [],
    "files": {each: {"sha256": each[-2:] * 32} for each in PRECISIONS},
    "thresholds": dict.fromkeys(EMOTIONS) | {"happy": 0.8761},
    "thresholds_told_by": "80 labelled faces that nothing was learnt from",
    "licence": "The workflow's code is MIT.",
}
TAUGHT = pd.Series({name: 100 + place for place, name in enumerate(EMOTIONS)})
PARTS = pd.Series(["train"] * 1234 + ["test"] * 400 + ["naming"] * 80)


def card(answers=None, **changed):
    answers = made_answers() if answers is None else answers
    given = {
        "made": MADE,
        "about": ABOUT,
        "table": made_table(answers),
        "answers": answers,
        "parts": PARTS,
        "taught": TAUGHT,
        "in_workflow": evaluate(answers)["accuracy"],
        "names": {"pool": "a pool", "labelled": "a set"},
        "limits": "A look is not a feeling.",
    }
    return model_card(**given | changed)


@pytest.fixture(scope="module")
def answers():
    return made_answers()


@pytest.fixture(scope="module")
def text(answers):
    return card(answers)


def test_figures_by_file_are_those_of_the_table(answers, text):
    rows = table(text, "bytes")
    for row, told in zip(rows, made_table(answers).to_dict("records"), strict=True):
        assert row["file"] == f"{told['precision']}.onnx"
        assert figure(row["bytes"]) == told["bytes"]
        assert figure(row["ms"]) == pytest.approx(told["ms_1"], abs=0.051)
        assert figure(row["accuracy"]) == round(100 * told["accuracy"], 1)
        change = [100 * told[f"balanced_change{end}"] for end in ("", "_low", "_high")]
        assert row["change of balanced"] == "{:+.1f} [{:+.1f}, {:+.1f}]".format(*change)
        assert figure(row["equal"]) == round(100 * told["equal"], 2)
        assert figure(row["furthest"]) == told["furthest"]
        assert row["SHA-256"] == ABOUT["files"][told["precision"]]["sha256"][:16]


def test_scores_and_intervals_are_those_of_the_answers(answers, text):
    labels = answers["label"].to_numpy(str)
    told = answers[list(EMOTIONS)].to_numpy()
    given = np.array(EMOTIONS)[told.argmax(1)]
    right = given == labels
    scores = {row["score"]: row["%"] for row in table(text, "score")}
    own = score(labels, given, told.argmax(1))
    low, high = accuracy_interval(right[None])
    assert scores["accuracy"] == f"{100 * right.mean():.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    balanced = estimate(right[None], labels)
    words = "{:.1f} [{:.1f}, {:.1f}]".format(*(100 * x for x in balanced[:3]))
    assert scores["balanced accuracy"] == words
    assert figure(scores["balanced accuracy"]) == round(100 * own["balanced_accuracy"], 1)
    assert figure(scores["macro F1"]) == round(100 * own["macro_f1"], 1)
    assert scores["guessing"] == "12.5"
    assert figure(scores["mean probability of its answers"]) == round(100 * told.max(1).mean(), 1)
    assert f"right in {scores['accuracy'].replace(' [', '% [')}. Guessing" in text


def test_figures_by_emotion_are_counts_of_the_answers(answers, text):
    labels = answers["label"].to_numpy(str)
    given = np.array(EMOTIONS)[answers[list(EMOTIONS)].to_numpy().argmax(1)]
    rows = {row["emotion"]: row for row in table(text, "taken for")}
    assert list(rows) == list(EMOTIONS)
    for emotion, row in rows.items():
        of = labels == emotion
        assert row["taught"] == str(TAUGHT[emotion]) and row["scored"] == str(of.sum())
        assert row["answered"] == str((given == emotion).sum())
        assert figure(row["right [95%]"]) == round(100 * (given[of] == emotion).mean(), 1)
        wrong = pd.Series(given[of & (given != emotion)]).value_counts()
        assert wrong[row["taken for"]] == wrong.max()
        assert row["sure from"] == ("87.6" if emotion == "happy" else "-")
    named = items(text, "What it takes for what")
    assert len(named) == 5
    for line in named:
        share, label, answer, faces = re.fullmatch(
            r"(.*)% of the faces labelled (\w+) are called (\w+) \((.*) faces\)\.", line
        ).groups()
        count = ((labels == label) & (given == answer)).sum()
        assert int(faces) == count and label != answer
        assert float(share) == round(100 * count / (labels == label).sum(), 1)


def test_another_number_in_a_table_makes_another_card(answers, text):
    """Each number by itself: none of the card's figures can be of another place."""
    tried = made_table(answers)
    for column in ("bytes", "ms_1", "accuracy", "balanced_change", "equal", "furthest"):
        changed = tried.copy()
        changed[column] = changed[column].astype(float)
        changed.loc[2, column] = changed.loc[2, column] * 2 + 1
        assert card(answers, table=changed) != text, column
    other = answers.copy()
    other.loc[0, "label"] = "sad"
    assert table(card(other), "score") != table(text, "score")
    assert "4,321 faces with labels" in card(answers, made=MADE | {"faces": {"classify": 4321}})
    assert "99 naming" in card(answers, parts=pd.concat([PARTS, pd.Series(["naming"] * 19)]))


def test_calibration_is_the_distance_of_probabilities_from_shares_of_right():
    def answers(sure, right):
        rows = np.full((100, 8), (1 - sure) / 7)
        rows[:, 0] = sure
        found = pd.DataFrame(rows, columns=list(EMOTIONS))
        return found.assign(label=[EMOTIONS[0]] * right + [EMOTIONS[1]] * (100 - right))

    assert evaluate(answers(0.85, 85))["calibration"] == pytest.approx(0, abs=1e-9)
    assert evaluate(answers(0.85, 50))["calibration"] == pytest.approx(0.35)
    assert evaluate(answers(1.0, 50))["calibration"] == pytest.approx(0.5)
    # Errors of two ranges do not make up for each other.
    both = pd.concat([answers(0.85, 95), answers(0.65, 55)])
    assert evaluate(both)["calibration"] == pytest.approx(0.1)
    said = items(card(answers(0.85, 50)), "Limits that the run found")
    assert "It is too sure of itself, by 35.0 points on average." in said


def test_the_card_says_what_the_run_found_against_the_model(answers):
    text = card(answers, table=made_table(answers, worse=0.05))
    said = " ".join(items(text, "Limits that the run found"))
    assert "It never gave this answer: surprise." in said
    assert re.search(r"not surely right more often than by guessing:.* surprise \(0\.0%\)", said)
    assert "It learnt least of: anger (100 faces)." in said
    assert "`int8.onnx` is worse than `float32.onnx`" in said
    assert "`float16.onnx` is worse" not in said and "not surely better" not in said
    assert "did not measure whether it is wrong more often about some people" in said
    assert "In Table 1" not in said and "more than twice" not in said
    better = evaluate(answers)["accuracy"] + 0.1
    line = f"In Table 1 of the workflow it is right in {100 * better:.1f}% of the same faces."
    assert f"- {line}\n" in card(answers, in_workflow=better)
    movements = ABOUT | {"outputs": {"strengths": {}}}
    assert f"- {line} There each face" in card(answers, in_workflow=better, about=movements)
    often = answers.copy()
    often.loc[:150, "fear"] = 2.0
    count = evaluate(often)["emotions"].set_index("emotion").loc["fear", "answered"]
    assert f"fear ({count} answers, 50 faces)." in card(often)
    # Guesses, of few faces.
    poor = made_answers(faces=64, seed=1)
    poor["label"] = np.random.default_rng(0).permutation(poor["label"])
    said = " ".join(items(card(poor), "Limits that the run found"))
    assert "It is not surely better than guessing, which gives 12.5%." in said
    assert "Fewer than 30 scored faces had this label" in said and "anger (8)" in said
    one = answers.assign(label="happy", happy=2.0)
    assert "No scored face had this label, so nothing is known of it: anger," in card(one)


def test_each_kind_of_model_says_what_it_learnt_from(answers):
    plain = card(answers, made=MADE | {"model": "action_units", "faces": {"fit": 700}}, taught=None)
    assert "- Phase `fit`: 700 faces without labels, of the set *a pool*." in plain
    assert "What people told it: nothing." in plain and "learnt least" not in plain
    assert {row["taught"] for row in table(plain, "taught")} == {"-"}
    both = {"reconstruct": 700, "classify": 160}
    semi = card(answers, made=MADE | {"model": "semi_supervised", "faces": both})
    assert "`reconstruct`: 700 faces without labels, of the set *a pool*" in semi
    assert "`classify`: 160 faces with labels, of the set *a set*" in semi
    fit = card(answers, made=MADE | {"model": "engineered_rbf", "faces": {"fit": 400}})
    assert "`fit`: 400 faces with labels, of the set *a set*" in fit
    start = {"backbone": "resnet18", "weights": "/home/someone/secret/resnet.pth"}
    moved = card(answers, made=MADE | {"model": "transfer", "settings": start})
    assert "weights that others trained: resnet18, resnet.pth." in moved
    assert "1,234 parameters" in moved


def test_what_is_passed_on_tells_nothing_of_a_machine(text):
    assert "/home" not in text and "secret" not in text
    assert {"what": "made by"}.items() <= table(text, "value")[0].items()
    assert table(text, "made from")[1] == {"made from": "weights.pth", "SHA-256": "b" * 16}


def test_model_hubs_read_the_front_matter(answers, text):
    found = ModelCard(text)
    data, results = found.data.to_dict(), found.data.eval_results
    assert data["license"] == "other" and data["library_name"] == "onnx"
    assert data["pipeline_tag"] == "image-classification" and "facesort" in data["tags"]
    assert data["datasets"] == ["imagefolder"]
    told = evaluate(answers)
    assert {each.metric_type: each.metric_value for each in results} == {
        "accuracy": round(told["accuracy"], 4),
        "recall": round(told["balanced"], 4),
        "f1": round(told["macro_f1"], 4),
    }
    for each in results:
        assert (each.task_type, each.dataset_name) == ("image-classification", "a set")
        assert (each.dataset_split, found.data.model_name) == (
            "test",
            "facesort supervised, rgb, seed 3",
        )
    assert found.text.lstrip().startswith("# facesort supervised, rgb, seed 3")


def test_hostile_names_stay_text(answers):
    elsewhere = pd.DataFrame(
        [{"set": HOSTILE, "n": 50, "emotions": 7, "chance": 1 / 7, "seeds": 2}]
    ).assign(
        **{
            f"{name}{end}": figure
            for name in ("accuracy", "balanced_accuracy")
            for end, figure in (("", 0.4), ("_low", 0.3), ("_high", 0.5))
        }
    )
    start = {"backbone": "resnet18", "weights": f"/x/{HOSTILE}"}
    text = card(
        answers,
        made=MADE | {"settings": start, "device": HOSTILE, "data": {f"/x/{HOSTILE}": "c" * 64}},
        names={"pool": HOSTILE, "labelled": HOSTILE},
        elsewhere=elsewhere,
    )
    assert ModelCard(text).data.eval_results[0].dataset_name == HOSTILE
    front = text.split("\n---\n")[0].removeprefix("---\n")
    assert yaml.safe_load(front)["license"] == "other"
    # With HTML allowed, as a hub may: none of it is any.
    body = text.split("\n---\n", 1)[1]
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(body)
    assert "<img" not in html and "<script" not in html and 'href="javascript' not in html
    assert len(re.findall("<h1", html)) == 1
    (row,) = table(text, "chance")
    assert (row["faces"], row["emotions"], row["chance"]) == ("50", "7", "14.3")
    assert row["accuracy"] == row["balanced"] == "40.0 [30.0, 50.0]"
    assert "means of 2 seeds" in text


def test_what_audits_found_has_a_place():
    text = card(audits={"By groups of people": "Answers do not serve all alike."})
    assert "## By groups of people\n\nAnswers do not serve all alike.\n\n## Limits" in text
    assert "did not measure" not in text


def test_the_version_is_that_of_the_citation():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(cited["version"]) == VERSION
    assert cited["references"][0]["title"] in card()
