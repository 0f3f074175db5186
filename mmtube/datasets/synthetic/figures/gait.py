"""Walking and running: legs and arms that follow the way a person goes.

The phase of a step follows the distance, not the time, and a foot on the ground goes back under the body as fast as
the body goes forward: it does not slide, at any speed.
"""

from __future__ import annotations

import numpy as np

from ..numerics import cos_turns, sin_turns, smoothstep
from .motion_tools import Motion, keys

MOVING_MPS, RUNNING_MPS = 0.2, 2.0
JUMP_M = 0.4  # a longer way in one frame is a cut, not a step
WALK_CYCLE, RUN_CYCLE = 0.72, 1.30  # way of two steps, as a part of the body height
WALK_STANCE, RUN_STANCE = 0.58, 0.36  # part of the cycle with the foot on the ground


def ramp(mask: np.ndarray, frames: float) -> np.ndarray:
    """Return 0 outside a mask and inside it a weight that rises from its edges to 1 over some frames.

    A mask that touches the first or last frame has no edge there.

    Args:
        mask (np.ndarray): (T,) bool.
        frames (float): Length of the rise.

    Returns:
        np.ndarray: (T,) float64.
    """
    index = np.arange(len(mask))
    far = len(mask) + int(frames) + 2
    before = np.maximum.accumulate(np.where(mask, -far, index))
    after = np.minimum.accumulate(np.where(mask, far + index[-1], index)[::-1])[::-1]
    return np.where(mask, smoothstep(np.minimum(index - before, after - index) / frames), 0.0)


def spread(mask: np.ndarray, frames: int) -> np.ndarray:
    """Return a mask with soft edges: how much of it lies within some frames to either side, without corners."""
    padded = np.concatenate([np.repeat(mask[:1], frames + 1), mask, np.repeat(mask[-1:], frames)])
    counts = np.cumsum(padded.astype(np.int64))
    return smoothstep((counts[2 * frames + 1 :] - counts[: -2 * frames - 1]) / (2 * frames + 1))


def steps(position_m: np.ndarray, fwd: np.ndarray, fps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the (T,) signed way from each frame to the next in metres, negative backwards, and the speed in m/s."""
    way = np.zeros_like(position_m)
    way[:-1] = position_m[1:] - position_m[:-1]
    distance = np.sqrt(way[:, 0] * way[:, 0] + way[:, 1] * way[:, 1])
    distance = np.where(distance > JUMP_M, 0.0, distance)
    ahead = way[:, 0] * fwd[:, 0] + way[:, 1] * fwd[:, 2]
    return np.where(ahead < -0.3 * distance, -distance, distance), distance * fps


def gait(position_m: np.ndarray, fwd: np.ndarray, fps: int, height_m: float, swing: float) -> tuple[Motion, np.ndarray]:
    """Return how a person goes along a path.

    Args:
        position_m (np.ndarray): (T, 2) X and Z.
        fwd (np.ndarray): (T, 3) where the person faces.
        fps (int): Frames per second.
        height_m (float): Body height.
        swing (float): How much this person swings the arms, 1 is average.

    Returns:
        tuple[Motion, np.ndarray]: The channels, and a (T,) weight, 0 where the person stands.
    """
    way, speed = steps(position_m, fwd, fps)
    reach = max(int(0.12 * fps), 1)
    weight = spread(speed > MOVING_MPS, reach)
    run = spread(speed > RUNNING_MPS, reach)
    cycle = WALK_CYCLE + (RUN_CYCLE - WALK_CYCLE) * run
    stance = WALK_STANCE + (RUN_STANCE - WALK_STANCE) * run
    travelled = way / (cycle * height_m)
    phase = np.cumsum(travelled) - travelled + 0.29  # legs begin under the body
    motion: Motion = {
        'lean': 0.008 + 0.047 * run,
        'nod': -0.02 * run,
        'twist': (0.012 + 0.02 * run) * cos_turns(phase),
        'hips_up': -0.030 - 0.035 * run - (0.008 + 0.022 * run) * cos_turns(2.0 * phase + 0.15 * run),
        'hips_left': 0.008 * (1.0 - run) * sin_turns(phase),
    }
    for side, offset in (('l', 0.0), ('r', 0.5)):
        part = phase + offset
        part = part - np.floor(part)
        grounded = part / stance
        lifted = np.clip((part - stance) / (1.0 - stance), 0.0, 1.0)
        half = cycle * stance / 2
        heel_off = (0.085 + 0.05 * run) * smoothstep((grounded - 0.6) / 0.4)
        kick_up = keys(lifted, (0.0, 0.35, 1.0), (0.0, 1.0, 0.0))
        motion[f'foot_fwd_{side}'] = np.where(part < stance, half * (1.0 - 2.0 * grounded), half * (2.0 * lifted - 1.0))
        motion[f'foot_up_{side}'] = (0.045 + 0.12 * run) * kick_up
        pitch = (0.085 + 0.05 * run) * (1.0 - smoothstep(lifted / 0.6)) + 0.10 * run * kick_up
        motion[f'foot_pitch_{side}'] = np.where(part < stance, heel_off, pitch)
        motion[f'foot_out_{side}'] = -0.02
        motion[f'arm_{side}'] = -swing * (0.062 + 0.065 * run) * cos_turns(part) + 0.02 * run
        motion[f'elbow_{side}'] = 0.05 + 0.20 * run - 0.025 * cos_turns(part)
        motion[f'out_{side}'] = 0.025 + 0.02 * run
        motion[f'roll_{side}'] = -0.05 * run
    return motion, weight
