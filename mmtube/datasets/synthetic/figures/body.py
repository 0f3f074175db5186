"""Where a body is in the picture: its limbs as tapered capsules, the truth that boxes come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..script import Look
from .geometry import Lens, mix
from .skeleton import HEAD_RADIUS, SIDES, SOLE, Skeleton

# Limbs: name, the joints at both ends, the radii there as parts of the body height.
_PAIRED = (
    ('thigh', 'hip', 'knee', 0.050, 0.036),
    ('shin', 'knee', 'ankle', 0.036, 0.025),
    ('foot', 'heel', 'toe', SOLE, SOLE * 0.9),
    ('upper_arm', 'shoulder', 'elbow', 0.034, 0.027),
    ('forearm', 'elbow', 'wrist', 0.026, 0.020),
    ('hand', 'wrist', 'hand', 0.020, 0.023),
    ('side', 'shoulder', 'hip', 0.040, 0.045),
)
_MIDDLE = (
    ('trunk', 'chest', 'pelvis', 0.060, 0.060),
    ('neck', 'neck', 'head', 0.030, 0.030),
    ('head', 'head', 'head', HEAD_RADIUS, HEAD_RADIUS),
    ('hair', 'head', 'neck', HEAD_RADIUS, HEAD_RADIUS),
)


OUTLINE_PX = 0.5  # of the dark line round a body


def limb_name(side: str, name: str) -> str:
    """Return the name of one limb of a pair, ``'l_thigh'``."""
    return f'{side}_{name}'


LIMBS = tuple(limb_name(side, limb[0]) for side in SIDES for limb in _PAIRED) + tuple(limb[0] for limb in _MIDDLE)


@dataclass(eq=False)
class BodyTrack:
    """Where a person's body is in the picture; rows of frames without the person are NaN.

    The drawn outline of a limb is the hull of the two circles at its ends.

    Args:
        ends_px (np.ndarray): (T, L, 2, 2) float64 x and y of both ends, the shot's shift included.
        radii_px (np.ndarray): (T, L, 2) float64 radii there.
        depth_m (np.ndarray): (T, L) Z by which limbs are sorted among people and things, see :func:`limb_depths`.
        joints_m (np.ndarray): (T, J, 3) in the order of :data:`JOINTS`.
        names (tuple[str, ...]): The L limbs.
    """

    ends_px: np.ndarray
    radii_px: np.ndarray
    depth_m: np.ndarray
    joints_m: np.ndarray
    names: tuple[str, ...]

    def boxes_px(self) -> np.ndarray:
        """Return the (T, 4) float64 xyxy box round all limbs, not clipped to the picture."""
        radii = self.radii_px[..., None]
        low = (self.ends_px - radii).min(axis=(1, 2))
        high = (self.ends_px + radii).max(axis=(1, 2))
        return np.concatenate([low, high], -1)


def limb_geometry(skeleton: Skeleton, look: Look) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends and radii of all limbs in space.

    Args:
        skeleton (Skeleton): The joints.
        look (Look): Build and hair.

    Returns:
        tuple[np.ndarray, np.ndarray]: (T, L, 2, 3) ends and (L, 2) radii in metres.
    """
    rows = len(skeleton.joints_m)
    ends = np.empty((rows, len(LIMBS), 2, 3))
    radii = np.empty((len(LIMBS), 2))
    paired = [(limb_name(s, n), f'{s}_{a}', f'{s}_{b}', r0, r1) for s in SIDES for n, a, b, r0, r1 in _PAIRED]
    for index, (name, first, last, first_radius, last_radius) in enumerate([*paired, *_MIDDLE]):
        ends[:, index, 0], ends[:, index, 1] = skeleton[first], skeleton[last]
        thick = 1.0 if name in ('head', 'hair') or name.endswith(('foot', 'hand')) else look.girth
        radii[index] = (first_radius * thick, last_radius * thick)
    size = skeleton.height_m
    head, hair, neck = (LIMBS.index(name) for name in ('head', 'hair', 'neck'))
    centre, back = skeleton['head'], -skeleton.head_fwd * size
    # A head is taller than wide: from the chin to the crown.
    ends[:, head, 0] = centre - skeleton.head_up * (0.014 * size)
    ends[:, head, 1] = centre + skeleton.head_up * (0.004 * size)
    radii[head] = (HEAD_RADIUS * 0.86, HEAD_RADIUS * 0.94)
    ends[:, neck, 1] = centre - skeleton.head_up * (0.04 * size)
    ends[:, hair, 0] = centre + back * 0.014 + skeleton.head_up * (0.010 * size)
    ends[:, hair, 1] = centre + back * 0.020
    radii[hair] = (HEAD_RADIUS * 0.96, HEAD_RADIUS * 0.85)
    if look.hair_style == 1:
        ends[:, hair, 1] = centre + back * 0.060 - skeleton.head_up * (0.125 * size)
        radii[hair] = (HEAD_RADIUS * 0.98, HEAD_RADIUS * 0.72)
    elif look.hair_style == 2:
        # The brim of the cap.
        ends[:, hair, 0] = centre + skeleton.head_up * (0.018 * size)
        ends[:, hair, 1] = centre + skeleton.head_fwd * (0.078 * size) + skeleton.head_up * (0.017 * size)
        radii[hair] = (HEAD_RADIUS * 0.88, HEAD_RADIUS * 0.16)
    elif look.hair_style == 3:
        ends[:, hair, 0] = ends[:, hair, 1] = centre
        radii[hair] = HEAD_RADIUS * 0.8
    return ends, radii * size


def limb_depths(skeleton: Skeleton, look: Look) -> np.ndarray:
    """Return how far each limb is, (T, L): a leg or an arm as a whole, the torso, the head, hair that hangs down.

    What is drawn over what, and what hides what, both follow from it.
    """

    def z(joint: str) -> np.ndarray:
        return skeleton[joint][:, 2]

    torso, head = mix(skeleton['pelvis'], skeleton['chest'], 0.5)[:, 2] - 0.02, z('head') - 0.05
    depths = dict.fromkeys(('trunk', 'l_side', 'r_side'), torso) | dict.fromkeys(('neck', 'head', 'hair'), head)
    if look.hair_style == 1:
        depths['hair'] = z('head') - skeleton.head_fwd[:, 2] * 0.13
    for side in SIDES:
        leg = (z(f'{side}_hip') + z(f'{side}_knee') + z(f'{side}_ankle')) / 3 + 0.02
        arm = mix(skeleton[f'{side}_elbow'], skeleton[f'{side}_hand'], 0.5)[:, 2]
        depths |= dict.fromkeys((limb_name(side, name) for name in ('thigh', 'shin', 'foot')), leg)
        depths |= dict.fromkeys((limb_name(side, name) for name in ('upper_arm', 'forearm', 'hand')), arm)
    return np.stack([depths[name] for name in LIMBS], axis=1)


def track_body(skeleton: Skeleton, look: Look, lens: Lens, present: np.ndarray) -> BodyTrack:
    """Project a body into the picture.

    Args:
        skeleton (Skeleton): The joints.
        look (Look): Build and hair.
        lens (Lens): The cameras.
        present (np.ndarray): (T,) bool.

    Returns:
        BodyTrack: The outline with the dark line round it.
    """
    ends_m, radii_m = limb_geometry(skeleton, look)
    rows, limbs = ends_m.shape[:2]
    flat = ends_m.reshape(rows, limbs * 2, 3)
    ends_px = lens.project(flat).reshape(rows, limbs, 2, 2)
    radii_px = lens.scale(flat).reshape(rows, limbs, 2) * radii_m + OUTLINE_PX
    depth = limb_depths(skeleton, look)
    joints = skeleton.joints_m.copy()
    for array in (ends_px, radii_px, depth, joints):
        array[~present] = np.nan
    return BodyTrack(ends_px, radii_px, depth, joints, LIMBS)
