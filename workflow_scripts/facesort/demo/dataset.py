"""The rendered data sets: photos with an FEC-format CSV, and a labelled tree like AffectNet's.

Formats: https://research.google/resources/datasets/google-facial-expression (FEC) and
https://www.kaggle.com/datasets/noamsegal/affectnet-training-data (labelled tree).

Every picture has a random generator of its own, made from seed, kind and number, so that the same
seed gives the same files whatever the number of workers.
"""

import ctypes
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Final, TypeVar

import cv2
import numpy as np

from facesort.common.emotions import EMOTIONS
from facesort.common.job import Progress
from facesort.demo.action_units import COLUMNS, expression_features
from facesort.demo.face import Face, background, develop, render_face
from facesort.demo.person import Person, Scene

SIZES: Final = ((640, 480), (500, 375), (480, 640), (640, 427))
SIDE = 96
PHOTO, ROW, LABELLED = 0, 1, 2  # kinds, for the seeds
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h

_Result = TypeVar("_Result")


@dataclass
class Photo:
    """A photo on disk: its path below the photos' folder, size in pixels, and faces."""

    path: str
    size: tuple[int, int]
    faces: list[Face]


def write_photos(
    folder: Path,
    csv: Path,
    truth: Path,
    *,
    photos: int,
    rows: int,
    base_url: str,
    seed: int,
    workers: int,
) -> None:
    """Render photos of one or two faces, and write the FEC-format CSV that points at them.

    Args:
        folder: for the JPEG files, in ten subfolders; some share their base names.
        csv: triplets of faces with the answers of simulated annotators, who mostly find the face
            whose action units are farthest from the others'. Each face comes up at least once if
            three times ``rows`` is no less than the number of faces.
        truth: columns url, left, right, top, bottom, emotion, intensity and AU1L ... AU26R, L being
            the side that a viewer sees on the left. Boxes are relative to width and height.
        base_url: what the URLs start with, up to and with the last "/".
    """
    with _whole(folder) as part:
        render = partial(_render_photo, folder=part, seed=seed)
        pool = []
        for number, photo in enumerate(in_parallel(render, photos, workers, "photos")):
            query = "?v=2" if number % 40 == 7 else ""
            url = f"{base_url}{photo.path}{query}"
            width, height = photo.size
            for face in photo.faces:
                left, right, top, bottom = face.box
                edges = (left / width, right / width, top / height, bottom / height)
                pool.append((url, [f"{value:.9g}" for value in edges], face))
    rng = np.random.default_rng([seed, ROW])
    lines = _triplets(rng, pool, rows)
    _write_text(csv, "".join(f"{line}\n" for line in lines))
    table = [["url", "left", "right", "top", "bottom", "emotion", "intensity", *COLUMNS]]
    for url, box, face in pool:
        units = [f"{value:.4f}" for value in face.units.ravel()]
        table.append([url, *box, face.emotion, f"{face.intensity:.4f}", *units])
    _write_text(truth, "".join(",".join(row) + "\n" for row in table))


def photo_name(number: int, seed: int) -> str:
    """A photo's path, like Flickr's names: ``7/0123456789_0f3a5b7c9d_b.jpg``.

    Every 25th photo has its predecessor's base name, in another subfolder.
    """
    named = number - 1 if number % 25 == 24 else number
    rng = np.random.default_rng([seed, PHOTO, named, 1])
    return f"{number % 10}/{rng.integers(10**10):010d}_{rng.integers(16**10):010x}_b.jpg"


def _render_photo(number: int, folder: Path, seed: int) -> Photo:
    rng = np.random.default_rng([seed, PHOTO, number])
    width, height = SIZES[rng.integers(len(SIZES))]
    count = 2 if rng.random() < 0.2 else 1
    picture = background(rng, width, height)
    scene = Scene(rng)
    faces = []
    slot = width / count
    for place in range(count):
        # One light and camera for all, a pose for each.
        pose = Scene(rng)
        pose.light, pose.key, pose.sky, pose.ground = (
            scene.light,
            scene.key,
            scene.sky,
            scene.ground,
        )
        scale = rng.uniform(0.6, 1.0) * min(height * 0.3, slot * 0.4, 118)
        x = (place + 0.5) * slot + rng.uniform(-1, 1) * max(0, slot / 2 - 1.05 * scale)
        y = rng.uniform(1.35 * scale, max(1.4 * scale, height - 1.25 * scale))
        emotion = EMOTIONS[rng.integers(len(EMOTIONS))]
        picture, _, face = render_face(
            rng, emotion, picture=picture, centre=(x, y), scale=scale, scene=pose
        )
        faces.append(face)
    path = photo_name(number, seed)
    _write_image(folder / path, develop(rng, picture, scene), scene.quality)
    return Photo(path, (width, height), faces)


def _triplets(
    rng: np.random.Generator, pool: list[tuple[str, list[str], Face]], rows: int
) -> Iterator[str]:
    """FEC rows: three faces, a type, and (annotator, answer) pairs."""
    by_emotion = [
        np.array([i for i, (_, _, face) in enumerate(pool) if face.emotion == emotion], int)
        for emotion in EMOTIONS
    ]
    features = np.stack([expression_features(face.units) for _, _, face in pool])
    order = rng.permutation(len(pool))
    everyone = np.concatenate([order, order[: -len(order) % 3]]).reshape(-1, 3)
    annotators = rng.integers(10**9, 10**10, 60)
    types = {1: "ONE_CLASS_TRIPLET", 2: "TWO_CLASS_TRIPLET", 3: "THREE_CLASS_TRIPLET"}
    for number in range(rows):
        if number < len(everyone):
            chosen = everyone[number]
        else:
            chosen = _draw_triplet(rng, by_emotion, len(pool))
        answering = rng.choice(annotators, rng.choice([6, 7, 8, 10], p=[0.6, 0.2, 0.1, 0.1]), False)
        seen = features[chosen] + rng.normal(0, 0.15, (len(answering), 3, features.shape[1]))
        # The odd one out is the one that the two most alike leave over.
        apart = [
            np.linalg.norm(seen[:, i] - seen[:, j], axis=1) for i, j in ((1, 2), (0, 2), (0, 1))
        ]
        answers = np.argmin(apart, axis=0) + 1
        cells = []
        for face in chosen:
            url, box, _ = pool[face]
            cells += [f'"{url}"', *box]
        cells.append(types[len({pool[face][2].emotion for face in chosen})])
        for annotator, answer in zip(answering, answers, strict=True):
            cells += [str(annotator), str(answer)]
        yield ",".join(cells)


def _draw_triplet(rng: np.random.Generator, by_emotion: list[np.ndarray], total: int) -> np.ndarray:
    """Three different faces of one, two or three emotions, each kind as likely where it can be."""
    wanted = rng.integers(1, 4)
    large = [members for members in by_emotion if len(members) >= 3]
    if wanted == 3 or not large:
        return rng.choice(total, 3, replace=False)
    group = large[rng.integers(len(large))]
    chosen = rng.choice(group, 3, replace=False)
    others = np.setdiff1d(np.arange(total), group)
    if wanted == 2 and len(others):
        chosen[rng.integers(3)] = rng.choice(others)
    return chosen


def write_labelled(folder: Path, *, per_emotion: int, seed: int, workers: int) -> None:
    """Render a labelled tree: ``<folder>/<emotion>/image0000006.jpg`` and ``labels.csv``.

    ``labels.csv`` has an index column, ``pth``, ``label`` and ``relFCs`` in (0, 1], lower where the
    expression is subtle. As in the real set, names repeat across folders and 2% of the files lie in
    a folder that is not their label's; the label is right. The people are others than the photos'.

    Args:
        folder: is replaced.
        per_emotion: images of each emotion, 96 x 96.
    """
    total = per_emotion * len(EMOTIONS)
    rng = np.random.default_rng([seed, LABELLED])
    folders = np.repeat(np.arange(len(EMOTIONS)), per_emotion)
    strays = rng.random(total) < 0.02
    folders[strays] = (folders[strays] + rng.integers(1, len(EMOTIONS), strays.sum())) % len(
        EMOTIONS
    )
    numbers = np.zeros(total, int)
    for emotion in range(len(EMOTIONS)):
        members = np.flatnonzero(folders == emotion)
        numbers[members] = np.cumsum(rng.integers(1, 4, len(members)))
    paths = [f"{EMOTIONS[f]}/image{n:07d}.jpg" for f, n in zip(folders, numbers, strict=True)]
    lines = [",pth,label,relFCs\n"]
    with _whole(folder) as part:
        for name in EMOTIONS:
            (part / name).mkdir()
        render = partial(
            _render_labelled, folder=part, paths=paths, per_emotion=per_emotion, seed=seed
        )
        for number, sure in enumerate(in_parallel(render, total, workers, "labelled faces")):
            lines.append(
                f"{number},{paths[number]},{EMOTIONS[number // per_emotion]},{sure:.10f}\n"
            )
        _write_text(part / "labels.csv", "".join(lines))


def _render_labelled(
    number: int, folder: Path, paths: list[str], per_emotion: int, seed: int
) -> float:
    rng = np.random.default_rng([seed, LABELLED, number])
    image, face = portrait(rng, EMOTIONS[number // per_emotion], SIDE)
    _write_image(folder / paths[number], image, 92)
    certain = 0.9 if face.emotion == "neutral" else 0.45 + 0.55 * face.intensity
    return float(np.clip(certain + rng.normal(0, 0.06), 0.05, 1))


def portrait(
    rng: np.random.Generator,
    emotion: str,
    side: int,
    intensity: float | None = None,
    *,
    scene: Scene | None = None,
    person: Person | None = None,
    units: np.ndarray | None = None,
) -> tuple[np.ndarray, Face]:
    """Render one face that fills a square picture.

    Args:
        scene, person, units: as of ``render_face``; drawn if None.

    Returns:
        (uint8 (side, side, 3) RGB, the face).
    """
    scene = scene or Scene(rng)
    picture = background(rng, side, side)
    middle = side * (0.5 + rng.uniform(-0.03, 0.03, 2))
    scale = side * rng.uniform(0.42, 0.5)
    picture, _, face = render_face(
        rng, emotion, intensity, picture=picture, scene=scene, scale=scale, units=units,
        person=person,
        centre=(middle[0] - 0.1 * scale * np.sin(scene.yaw), middle[1] - 0.12 * scale),
        oversample=3.0 if side < 128 else 2.0,
    )  # fmt: skip
    return develop(rng, picture, scene), face


# --- files and workers -------------------------------------------------------------------------


def _start_worker() -> None:
    cv2.setNumThreads(1)
    # Freed arrays are kept for the next; the kernel's clearing of new ones takes a tenth of the time.
    with suppress(AttributeError, OSError):  # glibc alone
        libc = ctypes.CDLL(None)
        libc.mallopt(M_TRIM_THRESHOLD, 256 << 20)
        libc.mallopt(M_MMAP_THRESHOLD, 32 << 20)
    # A worker whose parent was killed would wait for work for ever.
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
        os._exit(1)


def in_parallel(
    work: Callable[[int], _Result], total: int, workers: int, unit: str
) -> Iterator[_Result]:
    """Do ``work(0)`` ... ``work(total - 1)`` in so many processes; results come in order."""
    progress = Progress(total, "rendering", unit)
    # Fresh processes, since a fork can hang once any library has started threads.
    processes = max(1, min(workers, total))
    with ProcessPoolExecutor(processes, get_context("spawn"), _start_worker) as pool:
        # Ctrl-C reaches all processes; one that it ends amid a message leaves the others waiting,
        # so they are born deaf to it.
        heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
        results = pool.map(work, range(total), chunksize=max(1, min(16, total // workers // 4)))
        signal.signal(signal.SIGINT, heard)
        for result in results:
            progress.update(1)
            yield result
    progress.close()


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder to fill; only when it is full does it take its name, from whatever had it."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        yield part
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    if folder.is_dir():
        shutil.rmtree(folder)
    part.replace(folder)


def _write_image(path: Path, image: np.ndarray, quality: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    path.write_bytes(data.tobytes())


def _write_text(path: Path, text: str) -> None:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)
