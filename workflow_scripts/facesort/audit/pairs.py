"""Rendered pairs: one person with one expression, and the same with one thing changed.

Each part of a picture has chance of its own, so nothing else is drawn anew: the background and what
a change does not touch stay equal to the pixel. Every pair of a factor shows another person.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import cv2
import numpy as np
import pandas as pd

from facesort.audit.factors import ANOTHER, LEVELS, NOTHING
from facesort.common.emotions import EMOTIONS
from facesort.common.job import InputError
from facesort.demo.action_units import draw_action_units, draw_intensity
from facesort.demo.dataset import SIDE, in_parallel, portrait
from facesort.demo.person import MASCULINE, SKIN, Person, Scene, between
from facesort.fetch.imaging import resize

# The kind, for the seeds: of who it is, of what the picture holds, of who else it may be.
PAIRS, PICTURE, OTHER = 4, 5, 6
ADULT: Final = 0.2


@dataclass(frozen=True)
class Factor:
    """One thing that differs between the two faces of a pair.

    Attributes:
        level: whether a person in a scene, as drawn, is the second.
        change: makes it the first (0) or the second (1), in place.
        fits: who can have both.
    """

    level: Callable[[Person, Scene], bool]
    change: Callable[[Person, Scene, int], None]
    fits: Callable[[Person], bool] = lambda person: True


def _set_skin(person: Person, scene: Scene, to: int) -> None:
    ratio = between(SKIN, (0.1, 0.9)[to]) / between(SKIN, person.tone)
    person.skin = (person.skin * ratio).astype(np.float32)
    if not person.lipstick:
        person.lips = (person.lips * ratio).astype(np.float32)


def _set_lines(person: Person, scene: Scene, to: int) -> None:
    person.skin_age = (0.25, 0.9)[to]


def _set_shape(person: Person, scene: Scene, to: int) -> None:
    new = (0.1, 0.9)[to]
    for name, (base, slope) in MASCULINE.items():
        ratio = (base + slope * new) / (base + slope * person.masculine)
        setattr(person, name, getattr(person, name) * ratio)
    person.masculine = new


def _set_hair(person: Person, scene: Scene, to: int) -> None:
    person.haircut = ("short", "long")[to]


def _set_beard(person: Person, scene: Scene, to: int) -> None:
    person.beard, person.moustache_only = float(to), False


def _set_glasses(person: Person, scene: Scene, to: int) -> None:
    person.glasses = ("", "square")[to]


def _across(scene: Scene) -> float:
    """Where the light is from: 0 is the front, pi / 2 the viewer's right."""
    return float(np.arctan2(scene.light[0], scene.light[2]))


def _set_light(person: Person, scene: Scene, to: int) -> None:
    angle = (0.0, np.copysign(1.3, _across(scene)))[to]
    level = float(np.hypot(scene.light[0], scene.light[2]))
    scene.light = np.array(
        [np.sin(angle) * level, scene.light[1], np.cos(angle) * level], np.float32
    )


def _set_pose(person: Person, scene: Scene, to: int) -> None:
    scene.yaw = (0.0, float(np.copysign(0.5, scene.yaw)))[to]


# By the names of ``LEVELS``.
FACTORS: Final = {
    "skin tone": Factor(lambda person, scene: person.tone >= 0.5, _set_skin),
    "age lines": Factor(lambda person, scene: person.age >= 0.5, _set_lines),
    "face shape": Factor(lambda person, scene: person.masculine >= 0.5, _set_shape),
    "hair": Factor(lambda person, scene: person.haircut in ("bob", "long"), _set_hair),
    "beard": Factor(
        lambda person, scene: person.beard > 0, _set_beard, lambda person: person.masculine > 0.55
    ),
    "glasses": Factor(lambda person, scene: bool(person.glasses), _set_glasses),
    "light": Factor(lambda person, scene: abs(_across(scene)) > 0.65, _set_light),
    "head": Factor(lambda person, scene: abs(scene.yaw) > 0.25, _set_pose),
}


def plan_pairs(pairs: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Which faces are rendered, and which two are a pair.

    Args:
        pairs: of each factor.

    Returns:
        A row a face, those of one person together, the person as drawn first: person (a number),
        label (its emotion), change (what was changed, "" in the person as drawn). And a row a pair:
        factor, person, label, first, second (rows of the faces, in the order of the factor's
        levels; of ``NOTHING`` and ``ANOTHER`` the person as drawn first).

    Raises:
        InputError: if there shall be none.
    """
    if not pairs:
        raise InputError("audit.pairs: 0 asks for no pairs; write how many each factor shall have")
    left = dict.fromkeys((*LEVELS, ANOTHER), pairs)
    faces: list[tuple[int, str, str]] = []
    found: list[tuple[str, int, str, int, int]] = []
    number = -1
    while any(left.values()):
        number += 1
        person, scene = _drawn(number, PAIRS, seed)
        if person.age <= ADULT:
            continue
        wanted = [
            name
            for name, count in left.items()
            if count and (name == ANOTHER or _fits(name, person))
        ]
        if not wanted:
            continue
        label, base = EMOTIONS[number % len(EMOTIONS)], len(faces)
        faces += [(number, label, change) for change in ("", NOTHING, *wanted)]
        for at, name in enumerate([NOTHING, *wanted], base + 1):
            turned = name in FACTORS and FACTORS[name].level(person, scene)
            found.append((name, number, label, *((at, base) if turned else (base, at))))
        left.update({name: left[name] - 1 for name in wanted})
    return (
        pd.DataFrame(faces, columns=["person", "label", "change"]),
        pd.DataFrame(found, columns=["factor", "person", "label", "first", "second"]),
    )


def _fits(name: str, person: Person) -> bool:
    return name == ANOTHER or FACTORS[name].fits(person)


def render_pairs(
    faces: pd.DataFrame, size: int, *, seed: int, workers: int
) -> Iterator[np.ndarray]:
    """Draw the faces of ``plan_pairs``, those of a person at a time: uint8 (n, size, size, 3)."""
    changes = [tuple(each["change"]) for _, each in faces.groupby("person", sort=False)]
    render = partial(
        _render, numbers=faces["person"].unique().tolist(), changes=changes, size=size, seed=seed
    )
    yield from in_parallel(render, len(changes), workers, "persons")


def _render(
    at: int, numbers: list[int], changes: list[tuple[str, ...]], size: int, seed: int
) -> np.ndarray:
    side, number = max(SIDE, size), numbers[at]
    drawn = {name: picture(number, name, side, seed) for name in changes[at] if name != NOTHING}
    drawn[NOTHING] = saved_again(drawn[""])
    return np.stack([resize(drawn[name], size) for name in changes[at]])


def picture(number: int, change: str, side: int, seed: int) -> np.ndarray:
    """A person with one thing changed, or none (""): uint8 (side, side, 3)."""
    units = np.random.default_rng([seed, PAIRS, number, 1])
    emotion = EMOTIONS[number % len(EMOTIONS)]
    intensity = draw_intensity(units, emotion)
    moved = draw_action_units(units, emotion, intensity)
    person, scene = _drawn(number, OTHER if change == ANOTHER else PAIRS, seed)
    if change in FACTORS:
        factor = FACTORS[change]
        factor.change(person, scene, int(not factor.level(person, scene)))
    rng = np.random.default_rng([seed, OTHER if change == ANOTHER else PICTURE, number, 2])
    return portrait(rng, emotion, side, intensity, scene=scene, person=person, units=moved)[0]


def _drawn(number: int, kind: int, seed: int) -> tuple[Person, Scene]:
    return (
        Person(np.random.default_rng([seed, kind, number])),
        Scene(np.random.default_rng([seed, kind, number, 3])),
    )


def saved_again(image: np.ndarray) -> np.ndarray:
    """A picture that shows the same: moved by a pixel, and saved as a JPEG once more."""
    moved = cv2.copyMakeBorder(image, 0, 1, 0, 1, cv2.BORDER_REPLICATE)[1:, 1:]
    _, data = cv2.imencode(".jpg", moved[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 75])
    again = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert again is not None
    return np.ascontiguousarray(again[..., ::-1])
