"""Neck, clothed shoulders and glasses."""

import cv2
import numpy as np

from facesort.demo.head import SUBSURFACE, Skull, section
from facesort.demo.mesh import Surface, light, normals
from facesort.demo.person import Person, Scene
from facesort.demo.skin import EYE_X, S, smooth


def body(person: Person, turn: np.ndarray, scene: Scene, rng: np.random.Generator) -> list[Surface]:
    """Neck and clothed shoulders; they follow the head's turn only a little."""
    ring = np.linspace(-np.pi, np.pi, 40)[None]
    rows = np.linspace(0, 1, 14)[:, None]
    thick = 0.37 * person.neck
    neck = section(
        ring,
        thick * (1 + 0.12 * rows**3),
        0.2 * person.neck + 0.02 * rows,
        -0.55 + 0 * rows,
        -0.55 - 1.15 * rows,
        0.0,
    )
    neck[..., 2] -= 0.08 * rows
    bend = (1 - smooth(0.1, 0.8, rows))[..., None]
    neck = (neck @ turn.T * bend + neck * (1 - bend)).astype(np.float32)
    shade = 0.55 + 0.45 * smooth(0.25, 0.85, rows)  # under the chin
    skin = Surface(
        neck,
        light(
            np.broadcast_to(person.skin, neck.shape).astype(np.float32),
            normals(neck),
            scene,
            wrap=SUBSURFACE,
            shade=shade,
        ),
    )

    t = np.linspace(0, 1, 73)[:, None]
    knots = [0, 0.06, 0.14, 0.25, 0.4, 0.6, 1]
    wide = np.interp(
        t,
        knots,
        np.array([0.36, 0.47, 0.74, 1.12, 1.4, 1.5, 1.5]) * [1, 1, *[person.shoulders] * 5],
    )
    y = np.interp(t, knots, [-1.36, -1.42, -1.5, -1.62, -1.85, -2.4, -9.0])
    front = np.interp(t, knots, [0.16, 0.24, 0.36, 0.5, 0.62, 0.72, 0.75])
    wide, y, front = (
        cv2.GaussianBlur(v, None, sigmaX=0.1, sigmaY=2.5, borderType=cv2.BORDER_REPLICATE)
        for v in (wide, y, front)
    )
    ring = np.linspace(-np.pi, np.pi, 73)[None]
    torso = section(ring, wide, front, -front - 0.35, y, 0.0)
    torso[..., 2] -= 0.1
    albedo = np.empty_like(torso)
    albedo[:] = person.cloth
    weave = 1 + 0.05 * cv2.GaussianBlur(rng.normal(0, 1, torso.shape[:2]), None, 0.7)
    folds = cv2.resize(rng.normal(0, 1, (8, 12)), (73, 73), interpolation=cv2.INTER_CUBIC)
    torso[..., 2] += (0.02 * folds * smooth(0.1, 0.4, t)).astype(np.float32)
    if person.pattern == "stripes":
        albedo += (smooth(-0.2, 0.2, np.sin(y * 26)) * np.ones_like(ring))[..., None] * (
            person.cloth_two - albedo
        )
    if person.pattern == "collar":
        flap = smooth(0.17, 0.15, t + 0.02 * np.abs(ring))
        albedo += np.broadcast_to(flap, albedo.shape[:2])[..., None] * (person.cloth_two - albedo)
    shade = np.broadcast_to(1 - 0.45 * smooth(0.16, 0.0, t), albedo.shape[:2])
    albedo *= weave[..., None].astype(np.float32)
    if person.pattern == "v":
        depth = smooth(0.0, 0.03, 0.36 - 0.55 * np.abs(np.sin(ring) * wide) - t) * (
            np.cos(ring) > 0
        )
        albedo += depth[..., None].astype(np.float32) * (person.skin - albedo)
    normal = normals(torso)
    return [
        skin,
        Surface(
            torso[::2, ::2],
            light(albedo, normal, scene, gloss=0.015, wrap=(0.15,) * 3, shade=shade),
        ),
    ]


def glasses(person: Person, skull: Skull, turn: np.ndarray, scene: Scene) -> list[Surface]:
    """Rims, bridge and arms, as tubes."""
    eye = EYE_X * person.eye_gap
    half = 0.235
    lines: list[np.ndarray] = []
    t = np.linspace(0, 2 * np.pi, 34)
    power = 2.0 if person.glasses == "round" else 4.0
    for sign in (-1, 1):
        cosine, sine = np.cos(t), np.sin(t)
        x = sign * eye + half * np.sign(cosine) * np.abs(cosine) ** (2 / power)
        y = 0.04 + half * (0.88 if power == 2 else 0.72) * np.sign(sine) * np.abs(sine) ** (
            2 / power
        )
        lines.append(np.stack([x, y, 0.86 - 0.3 * x**2], 1))
        wide = float(np.interp(0.0, S[::-1], skull.wide[::-1])) + 0.05
        a = np.linspace(0, 1, 8)
        lines.append(
            np.stack(
                [
                    sign * (eye + half + (wide - eye - half) * np.sin(a * np.pi / 2)),
                    0.09 - 0.03 * a,
                    0.76 - 0.94 * a,
                ],
                1,
            )
        )
    a = np.linspace(-1, 1, 8)
    lines.append(
        np.stack([a * (eye - half), 0.07 + 0.04 * (1 - a**2), 0.84 + 0.02 * (1 - a**2)], 1)
    )
    out = []
    for line in lines:
        along = np.gradient(line, axis=0)
        along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
        side = np.cross(
            along, [0.03, 0.05, 1.0] if abs(along[:, 2]).max() < 0.75 else [0.0, 1.0, 0.05]
        )
        side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
        other = np.cross(along, side)
        angle = np.linspace(0, 2 * np.pi, 7)[None, :, None]
        points = line[:, None] + 0.02 * (
            np.cos(angle) * side[:, None] + np.sin(angle) * other[:, None]
        )
        points = points.astype(np.float32) @ turn.T
        normal = normals(points)
        normal *= np.sign(
            np.sum(
                normal * (points - (line.astype(np.float32) @ turn.T)[:, None]), -1, keepdims=True
            )
        )
        out.append(
            Surface(
                points,
                light(
                    np.broadcast_to(person.frame, points.shape).astype(np.float32),
                    normal,
                    scene,
                    gloss=0.4,
                ),
            )
        )
    return out
