"""The contact sheet: every emotion as it is drawn, with its action units."""

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from facesort.common.emotions import EMOTIONS
from facesort.demo.action_units import PROTOTYPES, UNILATERAL
from facesort.demo.dataset import in_parallel, portrait

FACE, GAP, NAMES = 160, 6, 204
SHEET = 3  # the kind, for the seeds
PAPER, INK, FAINT = (250, 249, 246), (34, 34, 38), (125, 122, 118)


def contact_sheet(path: Path, *, per_emotion: int, seed: int, workers: int) -> None:
    """Draw a row of faces for each emotion, its name and action units on the left; a PNG file.

    Every row draws other people. Its size is ``204 + 166 n + 6`` by ``8 * 166 + 6`` pixels for
    ``n`` faces an emotion.
    """
    path = Path(path)
    step = FACE + GAP
    sheet = Image.new("RGB", (NAMES + step * per_emotion + GAP, step * len(EMOTIONS) + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    total = per_emotion * len(EMOTIONS)
    example = partial(_example, per_emotion=per_emotion, seed=seed)
    images = list(in_parallel(example, total, workers, "examples"))
    for row, emotion in enumerate(EMOTIONS):
        top = GAP + row * step
        units = " + ".join(str(code) for code in PROTOTYPES[emotion]) or "none"
        if emotion in UNILATERAL:
            units += ", one side"
        pen.text((18, top + FACE // 2 - 26), emotion, INK, ImageFont.load_default(25))
        pen.text((19, top + FACE // 2 + 8), f"AU {units}", FAINT, ImageFont.load_default(13))
        for column in range(per_emotion):
            image = Image.fromarray(images[row * per_emotion + column])
            sheet.paste(image, (NAMES + column * step, top))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    sheet.save(part, format="PNG", optimize=True)
    part.replace(path)


def _example(number: int, per_emotion: int, seed: int) -> np.ndarray:
    row, column = divmod(number, per_emotion)
    rng = np.random.default_rng([seed, SHEET, row, column])
    return portrait(rng, EMOTIONS[row], FACE)[0]
