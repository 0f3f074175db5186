"""The articulated body: proportions, and joints from angles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..numerics import cos_turns, sin_turns
from ..script import Look
from .geometry import bend, mix, rotate

SIDES = ('l', 'r')
ARM_JOINTS, LEG_JOINTS = ('shoulder', 'elbow', 'wrist', 'hand'), ('hip', 'knee', 'ankle', 'heel', 'toe')
JOINTS = (
    'pelvis',
    'chest',
    'neck',
    'head',
    *(f'{side}_{part}' for side in SIDES for part in (*ARM_JOINTS, *LEG_JOINTS)),
)
J = {name: index for index, name in enumerate(JOINTS)}

# Lengths as parts of the body height; the limbs follow the usual anthropometric tables, the head is a tenth too large
# so that it can be seen in a small picture.
THIGH, SHIN, FOOT, SOLE = 0.245, 0.245, 0.105, 0.021
ANKLE_UP = 2 * SOLE
STANDING_UP = ANKLE_UP + 0.985 * (THIGH + SHIN)
SPINE, NECK, HEAD_UP = 0.30, 0.335, 0.405  # from the pelvis to the shoulder line, the neck and the head's centre
HEAD_RADIUS = 0.072
SHOULDER_OUT, HIP_OUT = 0.105, 0.055
UPPER_ARM, FOREARM, HAND = 0.172, 0.150, 0.035

# What a pose is made of. Angles in turns, lengths as parts of the body height, all relative to standing upright:
# `hips_*` and `foot_*` are displacements (forward, to the left or out, up), `air` lifts the whole body. `arm` swings
# forward, `out` sideways; the elbow bends forward and up, `roll` turns the plane of that outwards.
CHANNELS = (
    'hips_fwd',
    'hips_left',
    'hips_up',
    'air',
    'lean',
    'bend',
    'twist',
    'nod',
    'look',
    'tilt',
    *tuple(
        f'{name}_{side}'
        for side in SIDES
        for name in ('arm', 'out', 'elbow', 'roll', 'foot_fwd', 'foot_out', 'foot_up', 'foot_pitch')
    ),
)
Pose = dict[str, np.ndarray]


@dataclass(eq=False)
class Stand:
    """Where a person stands, as arrays over the frames.

    Args:
        ground_m (np.ndarray): (T, 3) point on the ground under the hips.
        fwd (np.ndarray): (T, 3) unit vector the person faces.
        left (np.ndarray): (T, 3) unit vector to the person's left.
        height_m (float): Body height.
    """

    ground_m: np.ndarray
    fwd: np.ndarray
    left: np.ndarray
    height_m: float

    @classmethod
    def of(cls, position_m: np.ndarray, yaw: np.ndarray, height_m: float) -> Stand:
        """Make one from (T, 2) X and Z and (T,) turns."""
        zero = np.zeros(len(yaw))
        cosine, sine = cos_turns(yaw), sin_turns(yaw)
        return cls(
            np.stack([position_m[:, 0], zero, position_m[:, 1]], -1),
            np.stack([cosine, zero, sine], -1),
            np.stack([-sine, zero, cosine], -1),
            height_m,
        )

    def part(self, frames: slice) -> Stand:
        """Return the same for some of the frames."""
        return Stand(self.ground_m[frames], self.fwd[frames], self.left[frames], self.height_m)

    def point(self, fwd_m: np.ndarray | float, left_m: np.ndarray | float, up_m: np.ndarray | float) -> np.ndarray:
        """Return (T, 3) points given in metres in front, to the left and above the ground."""
        rows = len(self.ground_m)
        fwd_m, left_m, up_m = (np.broadcast_to(np.asarray(x, np.float64), (rows,)) for x in (fwd_m, left_m, up_m))
        points = self.ground_m + self.fwd * fwd_m[:, None] + self.left * left_m[:, None]
        points[:, 1] = points[:, 1] + up_m
        return points


@dataclass(eq=False)
class Skeleton:
    """The joints of one person over the frames.

    Args:
        joints_m (np.ndarray): (T, J, 3) in the order of :data:`JOINTS`.
        head_fwd (np.ndarray): (T, 3) where the face looks.
        head_left (np.ndarray): (T, 3) to the left of the head.
        head_up (np.ndarray): (T, 3) to the crown of the head.
        chest_fwd (np.ndarray): (T, 3) where the chest points.
        height_m (float): Body height.
    """

    joints_m: np.ndarray
    head_fwd: np.ndarray
    head_left: np.ndarray
    head_up: np.ndarray
    chest_fwd: np.ndarray
    height_m: float

    def __getitem__(self, joint: str) -> np.ndarray:
        """Return the (T, 3) path of a joint."""
        return self.joints_m[:, J[joint]]

    def reach(self, side: str, target_m: np.ndarray, weight: np.ndarray) -> None:
        """Move a hand towards a target, the arm follows.

        Args:
            side (str): ``'l'`` or ``'r'``.
            target_m (np.ndarray): (T, 3) where the hand should be.
            weight (np.ndarray): (T,) 0 leaves the arm alone, 1 puts the hand on the target if the arm is long enough.
        """
        rows = np.flatnonzero(weight > 0)
        if not len(rows):
            return
        shoulder, elbow, wrist, hand = (
            self.joints_m[rows, J[f'{side}_{part}']] for part in ('shoulder', 'elbow', 'wrist', 'hand')
        )
        goal = mix(hand, target_m[rows], weight[rows])
        upper, lower = UPPER_ARM * self.height_m, (FOREARM + HAND) * self.height_m
        # The elbow stays on the side where it was, and hangs: an arm that reaches does not lift it.
        pole = elbow - mix(shoulder, hand, 0.5)
        pole[:, 1] = pole[:, 1] - 0.04 * self.height_m
        elbow, hand = bend(shoulder, goal, upper, lower, pole)
        wrist = mix(elbow, hand, FOREARM / (FOREARM + HAND))
        for part, points in (('elbow', elbow), ('wrist', wrist), ('hand', hand)):
            self.joints_m[rows, J[f'{side}_{part}']] = points


def articulate(stand: Stand, pose: Pose, look: Look) -> Skeleton:
    """Turn angles into joints.

    The feet go where the pose puts them and the knees follow; the hips come down as far as the feet demand, so that
    nobody floats.

    Args:
        stand (Stand): Where the person stands.
        pose (Pose): (T,) array for each of :data:`CHANNELS`.
        look (Look): Build.

    Returns:
        Skeleton: The joints.
    """
    size = stand.height_m
    girth = 0.7 + 0.3 * look.girth
    up = np.zeros_like(stand.fwd)
    up[:, 1] = 1.0

    def along(axis: np.ndarray, amount: np.ndarray | float) -> np.ndarray:
        return axis * np.asarray(amount, np.float64)[..., None] * size

    joints = np.zeros((len(stand.fwd), len(JOINTS), 3))
    hips = stand.ground_m + along(stand.fwd, pose['hips_fwd']) + along(stand.left, pose['hips_left'])
    ankles, hip_offsets = {}, {}
    highest = STANDING_UP + pose['hips_up'] + pose['air']
    for side, sign in (('l', 1.0), ('r', -1.0)):
        foot_fwd, foot_up = rotate(stand.fwd, up, -pose[f'foot_pitch_{side}'])
        toe = stand.ground_m + along(stand.fwd, pose[f'foot_fwd_{side}'] + FOOT * 0.8)
        toe = toe + along(stand.left, sign * (pose[f'foot_out_{side}'] + HIP_OUT * girth))
        toe = toe + along(up, pose[f'foot_up_{side}'] + pose['air'] + SOLE)
        ankles[side] = toe - along(foot_fwd, FOOT) + along(foot_up, SOLE)
        joints[:, J[f'{side}_toe']] = toe
        joints[:, J[f'{side}_heel']] = toe - along(foot_fwd, FOOT * 1.2)
        hip_offsets[side] = along(stand.left, sign * HIP_OUT * girth)
        aside = (hips + hip_offsets[side] - ankles[side]) / size
        aside = aside[:, 0] * aside[:, 0] + aside[:, 2] * aside[:, 2]
        # A leg that is swung forward or kicks may be short of its foot; one that stands may not.
        planted = np.maximum(0.0, 1.0 - 12.0 * np.maximum(pose[f'foot_up_{side}'], 0.0))
        leg = 0.995 * (THIGH + SHIN)
        limit = np.sqrt(np.maximum(leg * leg - aside, 0.01)) + ankles[side][:, 1] / size
        highest = highest + planted * (np.minimum(highest, limit) - highest)
    hips = hips + along(up, highest)
    joints[:, J['pelvis']] = hips
    for side in SIDES:
        hip = hips + hip_offsets[side]
        # Knees point where the feet do, a little out.
        pole = stand.fwd + hip_offsets[side] * (0.25 / (HIP_OUT * girth * size))
        knee, ankle = bend(hip, ankles[side], THIGH * size, SHIN * size, pole)
        joints[:, J[f'{side}_toe']] += ankle - ankles[side]
        joints[:, J[f'{side}_heel']] += ankle - ankles[side]
        for part, points in (('hip', hip), ('knee', knee), ('ankle', ankle)):
            joints[:, J[f'{side}_{part}']] = points

    fwd, left = rotate(stand.fwd, stand.left, pose['twist'])
    spine, fwd = rotate(up, fwd, pose['lean'])
    spine, left = rotate(spine, left, pose['bend'])
    chest = hips + along(spine, SPINE)
    joints[:, J['chest']] = chest
    joints[:, J['neck']] = hips + along(spine, NECK)
    head_fwd, head_left = rotate(fwd, left, pose['look'])
    head_up, head_fwd = rotate(spine, head_fwd, pose['nod'])
    head_up, head_left = rotate(head_up, head_left, pose['tilt'])
    joints[:, J['head']] = joints[:, J['neck']] + along(head_up, HEAD_UP - NECK) + along(head_fwd, 0.012)

    for side, sign in (('l', 1.0), ('r', -1.0)):
        shoulder = chest + along(left, sign * SHOULDER_OUT * girth) - along(spine, 0.012)
        out = left * sign
        # The upper arm hangs, is swung forward by `arm` and lifted sideways by `out`; `ahead` and `aside` are the two
        # directions across it.
        hang, ahead = rotate(-spine, fwd, pose[f'arm_{side}'])
        upper, aside = rotate(hang, out, pose[f'out_{side}'])
        across, _ = rotate(ahead, aside, pose[f'roll_{side}'])
        lower, _ = rotate(upper, across, pose[f'elbow_{side}'])
        elbow = shoulder + along(upper, UPPER_ARM)
        wrist = elbow + along(lower, FOREARM)
        for part, points in (('shoulder', shoulder), ('elbow', elbow), ('wrist', wrist)):
            joints[:, J[f'{side}_{part}']] = points
        joints[:, J[f'{side}_hand']] = wrist + along(lower, HAND)
    return Skeleton(joints, head_fwd, head_left, head_up, fwd, size)
