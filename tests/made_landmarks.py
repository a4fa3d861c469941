"""Landmarks of made-up faces, whose pose and expression are known: what tests of shapes share."""

import numpy as np

from facesort.faces.canonical_face import canonical_face
from facesort.faces.procrustes import FACE_POINTS, POINTS


def template():
    """A symmetric shape of 478 points, a random one: float (478, 3)."""
    random = np.random.default_rng(0).normal(0, 1, (POINTS // 2, 3)) + np.array([2, 0, 0])
    # The irises' points come last.
    face, irises = random[: FACE_POINTS // 2], random[FACE_POINTS // 2 :]
    mirrored = np.array([-1, 1, 1])
    return np.concatenate([face, face * mirrored, irises, irises * mirrored])


def turned(shape, generator, most=0.3):
    """A shape turned, scaled and moved at random."""
    yaw, pitch, roll = generator.uniform(-most, most, 3)
    matrices = [
        [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]],
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]],
        [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]],
    ]
    turn = matrices[0] @ np.array(matrices[1]) @ np.array(matrices[2])
    return shape @ turn.T * generator.uniform(1, 20) + generator.uniform(-50, 50, 3)


def landmarks():
    """200 faces: the template with an open mouth or not, and noise; float32 (200, 478, 3)."""
    shape, generator = template(), np.random.default_rng(1)
    opened = np.zeros((POINTS, 3))
    opened[[13, 14]] = [[0, -3, 0], [0, 3, 0]]
    faces = [
        turned(shape + (number % 2) * opened + generator.normal(0, 0.02, (POINTS, 3)), generator)
        for number in range(200)
    ]
    return np.array(faces, np.float32)


def pictured():
    """40 pictures of no face, uint8 (40, 60, 60, 3), and landmarks that a face may have."""
    rng = np.random.default_rng(0)
    shape = np.concatenate([canonical_face(), canonical_face()[:10]])
    points = 30 + 2 * shape + rng.normal(0, 0.5, (40, 478, 3))
    return rng.integers(0, 256, (40, 60, 60, 3), np.uint8), points.astype(np.float32)
