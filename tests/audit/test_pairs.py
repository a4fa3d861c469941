"""Rendered pairs: who they are, and that nothing but the factor differs."""

import numpy as np
import pytest

from facesort.audit import pairs
from facesort.audit.factors import ANOTHER, LEVELS, NOTHING
from facesort.audit.pairs import FACTORS, picture, plan_pairs, render_pairs
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.demo import dataset, face
from facesort.demo.person import Person, Scene

SIDE = 96
# What a change must leave alone, in shares of height and width: rows and columns of the picture.
UNTOUCHED = {
    "beard": (slice(0, 0.22), slice(0, 1)),
    "glasses": (slice(0.75, 1), slice(0, 1)),
    "face shape": (slice(0, 0.05), slice(0, 0.12)),
    "hair": (slice(0.45, 0.6), slice(0.4, 0.6)),
}


@pytest.fixture(autouse=True)
def sharp(monkeypatch):
    """A camera whose blur does not carry a change to where nothing changed."""
    drawn = pairs._drawn

    def sharp(*of):
        person, scene = drawn(*of)
        scene.blur = 0.0
        return person, scene

    monkeypatch.setattr(pairs, "_drawn", sharp)


@pytest.fixture(scope="module")
def plan():
    return plan_pairs(6, 0)


def test_every_factor_is_drawn_under_its_name():
    assert list(FACTORS) == list(LEVELS)


def test_every_factor_has_its_pairs_each_of_another_adult(plan):
    faces, found = plan
    for name in (*FACTORS, ANOTHER):
        own = found[found["factor"] == name]
        assert len(own) == 6 and own["person"].is_unique
    assert set(found.loc[found["factor"] == NOTHING, "person"]) == set(found["person"])
    persons = [Person(np.random.default_rng([0, pairs.PAIRS, n])) for n in faces["person"].unique()]
    assert min(person.age for person in persons) > pairs.ADULT
    drawn = [EMOTIONS[number % 8] for number in faces["person"]]
    assert faces["label"].tolist() == drawn


def test_a_pair_is_two_faces_of_one_person_in_the_order_of_the_levels(plan):
    faces, found = plan
    first, second = (faces.iloc[found[end]].reset_index(drop=True) for end in ("first", "second"))
    assert (first["person"] == found["person"]).all()
    assert (second["person"] == found["person"]).all()
    changes = first["change"] + second["change"]
    assert (changes == found["factor"]).all(), "one of the two is the person as drawn"
    for _, pair in found[found["factor"].isin(FACTORS)].iterrows():
        factor, levels = FACTORS[pair["factor"]], []
        for end in ("first", "second"):
            of = np.random.default_rng([0, pairs.PAIRS, pair["person"]])
            scene = Scene(np.random.default_rng([0, pairs.PAIRS, pair["person"], 3]))
            person = Person(of)
            if faces["change"][pair[end]]:
                factor.change(person, scene, int(not factor.level(person, scene)))
            levels.append((person, scene))
        if pair["factor"] not in ("skin tone", "age lines"):
            assert [factor.level(*each) for each in levels] == [False, True], pair["factor"]
    tones = found[found["factor"] == "skin tone"]
    for _, pair in tones.iterrows():
        one, other = (
            picture(pair["person"], faces["change"][pair[end]], SIDE, 0)[40:60, 40:56].mean()
            for end in ("first", "second")
        )
        assert one > other + 10, "the first is lighter"


@pytest.mark.parametrize("name", FACTORS)
def test_a_change_shows_and_touches_nothing_else(name, plan):
    _, found = plan
    for number in found.loc[found["factor"] == name, "person"][:4]:
        before, after = (picture(number, change, SIDE, 0).astype(int) for change in ("", name))
        moved = np.abs(after - before).max(2)
        assert (moved > 8).mean() > 0.001, "it can be seen"
        # The background, in the corners that no head reaches.
        assert not moved[:3, :3].any() or not moved[:3, -3:].any()
        if name in UNTOUCHED:
            rows, columns = (
                slice(round(part.start * SIDE), round(part.stop * SIDE)) for part in UNTOUCHED[name]
            )
            assert not moved[rows, columns].any()


def test_no_part_is_drawn_anew(plan, monkeypatch):
    """What chance gives to clothes, hair and the camera is the same, whatever is changed."""
    states = []

    def kept(module, name):
        function = getattr(module, name)

        def keeping(*of):
            chance = next(each for each in of if isinstance(each, np.random.Generator))
            states[-1].append(chance.bit_generator.state["state"]["state"])
            return function(*of)

        monkeypatch.setattr(module, name, keeping)

    for module, name in ((face, "body"), (face, "hair"), (face, "brows"), (dataset, "develop")):
        kept(module, name)
    _, found = plan
    number = found.loc[found["factor"] == "beard", "person"].iloc[0]
    for change in ("", *FACTORS):
        states.append([])
        picture(number, change, 32, 0)
    assert len(states[0]) == 4 and all(each == states[0] for each in states)


def test_another_expression_of_the_same_person_is_no_part_of_a_pair(plan):
    """The muscles of both faces are the same, also of another person."""
    units = []
    portrait = pairs.portrait

    def kept(*of, **how):
        units.append((of[1], of[3], how["units"]))
        return portrait(*of, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "portrait", kept)
        for change in ("", *FACTORS, ANOTHER):
            picture(3, change, 32, 0)
    assert len({(emotion, strength) for emotion, strength, _ in units}) == 1
    assert all(np.array_equal(each, units[0][2]) for *_, each in units)


def test_nothing_is_a_little_noise_and_another_person_is_all_but_the_expression(plan):
    before = picture(3, "", SIDE, 0)
    still = pairs.saved_again(before).astype(int)
    assert still.shape == before.shape
    assert 0 < np.abs(still[:-1, :-1] - before[1:, 1:]).mean() < 6
    assert np.abs(picture(3, ANOTHER, SIDE, 0).astype(int) - before).mean() > 15


def test_what_is_rendered_is_what_was_planned_whatever_the_number_of_workers():
    faces, _ = plan_pairs(1, 5)
    one, two = (
        np.concatenate(list(render_pairs(faces, 24, seed=5, workers=workers))) for workers in (1, 2)
    )
    assert one.shape == (len(faces), 24, 24, 3) and one.dtype == np.uint8
    assert np.array_equal(one, two)


def test_no_pairs_are_told():
    with pytest.raises(InputError, match=r"audit\.pairs: 0"):
        plan_pairs(0, 0)
