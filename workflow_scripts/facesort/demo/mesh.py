"""Small 3-D toolkit: grids of points with a texture, their shading, and drawing them.

Every surface is a grid: ``points`` float32 (rows, columns, 3), x right, y up, z to the viewer, and
``texture`` float32 (h, w, 3) in linear light, already lit. Textures are lit where they are painted;
the rasteriser only looks up which texel each pixel sees.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from facesort.demo.person import Scene

_FAR, _NEAR, _FIELD = 40.0, 0.5, float(np.pi / 2)


@dataclass
class Surface:
    """A textured grid; its texture covers the grid from corner to corner."""

    points: np.ndarray
    texture: np.ndarray


def normals(points: np.ndarray) -> np.ndarray:
    """Unit normals of a grid whose rows go down and columns go right, float32 (h, w, 3)."""
    right = np.empty_like(points)
    down = np.empty_like(points)
    right[:, 1:-1] = points[:, 2:] - points[:, :-2]
    right[:, 0], right[:, -1] = points[:, 1] - points[:, 0], points[:, -1] - points[:, -2]
    down[1:-1] = points[2:] - points[:-2]
    down[0], down[-1] = points[1] - points[0], points[-1] - points[-2]
    out = np.empty_like(points)
    out[..., 0] = down[..., 1] * right[..., 2] - down[..., 2] * right[..., 1]
    out[..., 1] = down[..., 2] * right[..., 0] - down[..., 0] * right[..., 2]
    out[..., 2] = down[..., 0] * right[..., 1] - down[..., 1] * right[..., 0]
    out /= np.sqrt(np.einsum("hwc,hwc->hw", out, out) + 1e-12)[..., None]
    return out


def light(
    albedo: np.ndarray,
    normal: np.ndarray,
    scene: Scene,
    *,
    gloss: np.ndarray | float = 0.1,
    shininess: float = 18.0,
    wrap: tuple[float, float, float] = (0.1, 0.1, 0.1),
    shade: np.ndarray | float = 1.0,
    shadow: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Light a surface: sky and ground, one soft key light, a highlight and a rim.

    Args:
        albedo, normal: float32 (h, w, 3).
        gloss: strength of the highlight, (h, w) or one figure.
        wrap: how far light creeps round the terminator in red, green and blue; skin is translucent.
        shade: what darkens everything (creases, occlusion), (h, w) or one figure.
        shadow: what darkens the key light alone, (h, w) or one figure.

    Returns:
        float32 (h, w, 3), linear light.
    """
    facing = normal @ scene.light
    up = 0.5 + 0.5 * normal[..., 1]
    half = scene.light + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    shine = np.maximum(normal @ half, 0) ** np.float32(shininess) * (gloss * shadow)
    rim = scene.rim * np.clip(1 - np.abs(normal[..., 2]), 0, 1) ** 3
    out = np.empty_like(albedo)
    for channel, creep in enumerate(wrap):
        diffuse = np.maximum((facing + creep) / (1 + creep), 0) * (scene.key[channel] * shadow)
        ambient = scene.ground[channel] + (scene.sky[channel] - scene.ground[channel]) * up + rim
        out[..., channel] = (albedo[..., channel] * (diffuse + ambient) + shine) * shade
    return out


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation matrix: yaw turns to the viewer's right, pitch up, roll counter-clockwise."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    lean = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (lean @ nod @ turn).astype(np.float32)


def _triangles(rows: int, columns: int, first: int) -> np.ndarray:
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns) + first
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    return np.stack([a, b, c, b, d, c], axis=-1).reshape(-1, 3)


def draw(
    surfaces: list[Surface],
    size: tuple[int, int],
    centre: tuple[float, float],
    scale: float,
    distance: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw surfaces in perspective.

    Args:
        surfaces: what to draw; points in world coordinates.
        size: (width, height) of the canvas, pixels.
        centre: the pixel that the world's origin falls on.
        scale: pixels for one unit at the origin.
        distance: of the camera from the origin, units.

    Returns:
        (colour float32 (h, w, 3) in linear light, cover and depth float32 (h, w)); where there is
        nothing, cover is 0 and colour has no meaning.
    """
    width, height = size
    atlas_height = max(s.texture.shape[0] for s in surfaces)
    atlas_width = sum(s.texture.shape[1] for s in surfaces)
    atlas = np.zeros((atlas_height, atlas_width, 3), np.float32)
    points, lookups, triangles, first, left = [], [], [], 0, 0
    for surface in surfaces:
        (rows, columns), (h, w) = surface.points.shape[:2], surface.texture.shape[:2]
        atlas[:h, left : left + w] = surface.texture
        lookup = np.empty((rows, columns, 3), np.float32)
        lookup[..., 0] = left + np.linspace(0, w - 1, columns)
        lookup[..., 1] = np.linspace(0, h - 1, rows)[:, None]
        lookup[..., 2] = 1
        points.append(surface.points.reshape(-1, 3))
        lookups.append(lookup.reshape(-1, 3))
        triangles.append(_triangles(rows, columns, first))
        first, left = first + rows * columns, left + w

    world = np.concatenate(points)
    depth = distance - world[:, 2]
    # The rasteriser looks along -z at 90 degrees: half the height is 1 at depth 1.
    half = height / 2
    place = np.empty_like(world)
    place[:, 0] = world[:, 0] * (scale * distance / half) + (centre[0] - width / 2) / half * depth
    place[:, 1] = world[:, 1] * (scale * distance / half) - (centre[1] - half) / half * depth
    place[:, 2] = -depth
    seen = np.zeros((height, width, 3), np.float32)
    far = np.full((height, width), _FAR, np.float32)
    settings = cv2.TriangleRasterizeSettings()
    settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
    settings.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
    cv2.triangleRasterize(
        place, np.concatenate(triangles), np.concatenate(lookups), seen, far,
        np.eye(4, dtype=np.float32), _FIELD, _NEAR, _FAR, settings,
    )  # fmt: skip
    across, down, cover = cv2.split(seen)
    return cv2.remap(atlas, across, down, cv2.INTER_LINEAR), cover, far
