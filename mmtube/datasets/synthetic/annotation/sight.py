"""What the camera sees of each person: boxes, and how much of the body is hidden."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..figures.body import BodyTrack
from ..script import FilmScript

VISIBLE = 0.25  # of the body, at least, for a box
SMALLEST_PX = 4.0
SAME_IOU = 0.9
GRID_PX = 0.125
# Points across each limb at which it is looked for: part of the length, part of the radius to the side.
POINTS = ((0.1, -0.6), (0.1, 0.6), (0.5, -0.6), (0.5, 0.6), (0.9, -0.6), (0.9, 0.6))


@dataclass(eq=False)
class Sight:
    """One person in the pictures of a film; arrays have one row for each frame.

    Args:
        boxes_px (np.ndarray): (T, 4) float64 xyxy within the frame, on a grid of 1/8 pixel, NaN where ``shown`` is
            False.
        visible (np.ndarray): (T,) float64 part of the body that is in the frame and not behind something.
        head (np.ndarray): (T,) bool, whether the middle of the head is to be seen.
        shown (np.ndarray): (T,) bool, whether the person has a box.
    """

    boxes_px: np.ndarray
    visible: np.ndarray
    head: np.ndarray
    shown: np.ndarray


def paired_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the IoU of (..., 4) boxes with boxes of the same shape; 0 where one is NaN."""
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    both = np.where((width > 0) & (height > 0), width * height, 0.0)
    union = (a[..., 2] - a[..., 0]) * (a[..., 3] - a[..., 1]) + (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1]) - both
    known = ~np.isnan(union) & (union > 0)
    return np.where(known, both, 0.0) / np.where(known, union, 1.0)


def snap(boxes_px: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return boxes within the frame, on the grid of 1/8 pixel, which float32 holds exactly."""
    limit = np.array([*size, *size], np.float64)
    return np.clip(np.floor(boxes_px / GRID_PX + 0.5) * GRID_PX, 0.0, limit)


def _behind(points: np.ndarray, depth_m: np.ndarray, body: BodyTrack, rows: np.ndarray) -> np.ndarray:
    """Return whether (F, K, 2) points at (F, K) distances are behind a nearer limb of a body in some of its frames."""
    ends, radii, limb_depth_m = body.ends_px[rows], body.radii_px[rows], body.depth_m[rows]
    covered = np.zeros(points.shape[:2], bool)
    axes = ends[:, :, 1] - ends[:, :, 0]
    squared = np.maximum(axes[..., 0] * axes[..., 0] + axes[..., 1] * axes[..., 1], 1e-9)
    x, y = points[..., 0], points[..., 1]
    for limb in range(ends.shape[1]):
        dx, dy = x - ends[:, limb, 0, 0, None], y - ends[:, limb, 0, 1, None]
        ax, ay = axes[:, limb, 0, None], axes[:, limb, 1, None]
        along = np.clip((dx * ax + dy * ay) / squared[:, limb, None], 0.0, 1.0)
        radius = radii[:, limb, 0, None] + along * (radii[:, limb, 1] - radii[:, limb, 0])[:, None]
        dx, dy = dx - along * ax, dy - along * ay
        covered |= (dx * dx + dy * dy <= radius * radius) & (limb_depth_m[:, limb, None] < depth_m)
    return covered


def _body_points(body: BodyTrack) -> np.ndarray:
    """Return (T, 6 L, 2) points within the limbs."""
    first, axis = body.ends_px[:, :, 0], body.ends_px[:, :, 1] - body.ends_px[:, :, 0]
    length = np.sqrt(np.maximum(axis[..., 0] * axis[..., 0] + axis[..., 1] * axis[..., 1], 1e-9))
    # Limbs that point at the camera have no direction in the picture; any will do.
    normal = np.stack([np.where(length > 1e-4, -axis[..., 1] / length, 1.0), axis[..., 0] / length], axis=-1)
    points = []
    for along, aside in POINTS:
        radius = body.radii_px[..., 0] + along * (body.radii_px[..., 1] - body.radii_px[..., 0])
        points.append(first + axis * along + normal * (radius * aside)[..., None])
    return np.concatenate(points, axis=1)


def _limb_weights(body: BodyTrack) -> np.ndarray:
    """Return the area of each limb in quarters of a square pixel as (T, L) int64: a sum of integers has no order."""
    axis = body.ends_px[:, :, 1] - body.ends_px[:, :, 0]
    length = np.sqrt(axis[..., 0] * axis[..., 0] + axis[..., 1] * axis[..., 1])
    thick = body.radii_px[..., 0] + body.radii_px[..., 1]
    area = np.where(np.isnan(length), 0.0, (length + thick) * thick)
    return np.floor(area * 4.0 + 0.5).astype(np.int64)


def _touching(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return whether (T, 4) boxes share a point; False where one is NaN."""
    with np.errstate(invalid='ignore'):
        across = np.minimum(a[:, 2], b[:, 2]) > np.maximum(a[:, 0], b[:, 0])
        return across & (np.minimum(a[:, 3], b[:, 3]) > np.maximum(a[:, 1], b[:, 1]))


def look(script: FilmScript, bodies: list[BodyTrack], occluders: list[list[tuple[np.ndarray, float]]]) -> list[Sight]:
    """Work out what is to be seen of each person.

    A person has a box where at least a quarter of the body is within the frame and not behind furniture or another
    person, each limb at its own distance, as they are drawn. The box is that of the whole body, cut at the edge of the
    frame. Of two boxes with IoU above 0.9 that of the person who is hidden more is left out, because an annotator would
    not see it.

    Args:
        script (FilmScript): The film.
        bodies (list[BodyTrack]): Outline of each person.
        occluders (list[list[tuple[np.ndarray, float]]]): For each shot, xyxy at shift 0 and depth of what can hide.

    Returns:
        list[Sight]: One for each person.
    """
    size = script.size
    whole = [body.boxes_px() for body in bodies]
    shift = np.concatenate([shot.shift_px for shot in script.shots])[:, None, :]
    sights = []
    for person, body in enumerate(bodies):
        present = script.people[person].present & ~np.isnan(body.depth_m[:, 0])
        depth = np.tile(body.depth_m, len(POINTS))
        points, weights = _body_points(body), _limb_weights(body)
        limbs = weights.shape[1]
        with np.errstate(invalid='ignore'):
            seen = (points >= 0).all(-1) & (points[..., 0] < size[0]) & (points[..., 1] < size[1])
        for number, shot in enumerate(script.shots):
            part = slice(shot.start, shot.end)
            for box, nearness in occluders[number]:
                at = points[part] - shift[part]
                with np.errstate(invalid='ignore'):
                    inside = (at[..., 0] >= box[0]) & (at[..., 0] <= box[2])
                    inside &= (at[..., 1] >= box[1]) & (at[..., 1] <= box[3])
                seen[part] &= ~(inside & (depth[part] > nearness))
        for other, nearer in enumerate(bodies):
            if other == person:
                continue
            there = present & script.people[other].present & _touching(whole[person], whole[other])
            with np.errstate(invalid='ignore'):
                rows = np.flatnonzero(there & (nearer.depth_m.min(axis=1) < body.depth_m.max(axis=1)))
            if len(rows):
                seen[rows] &= ~_behind(points[rows], depth[rows], nearer, rows)
        total = weights.sum(axis=1) * len(POINTS)
        visible = (np.tile(weights, len(POINTS)) * seen).sum(axis=1) / np.maximum(total, 1)
        head = body.names.index('head')
        boxes = snap(np.where(np.isnan(whole[person]), 0.0, whole[person]), size)
        large = ((boxes[:, 2:] - boxes[:, :2]) >= SMALLEST_PX).all(axis=1)
        shown = present & (visible >= VISIBLE) & large
        middle = [head + limbs * i for i, (along, _) in enumerate(POINTS) if along == 0.5]
        sights.append(Sight(boxes, visible * present, seen[:, middle].any(axis=1) & present, shown))
    for a in range(len(sights)):
        for b in range(a):
            same = sights[a].shown & sights[b].shown & (paired_iou(sights[a].boxes_px, sights[b].boxes_px) > SAME_IOU)
            behind = sights[a].visible < sights[b].visible
            sights[a].shown &= ~(same & behind)
            sights[b].shown &= ~(same & ~behind)
    for sight in sights:
        sight.boxes_px[~sight.shown] = np.nan
    return sights
