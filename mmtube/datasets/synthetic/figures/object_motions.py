"""How people move with one another and with objects; see :mod:`.motion_tools` for what a motion is.

Where hands meet other hands is worked out in :mod:`.contacts`, where they meet a box or a cart in :mod:`.props`.
"""

from __future__ import annotations

import numpy as np

from ..numerics import cos_turns, sin_turns
from .motion_tools import BOUNCE_HZ, GRASP, RELEASE, TABLE_M, Motion, both, cycles, keys, left, motion, pulse, right


@motion('shake hands')
def shake_hands(t: np.ndarray, length_s: float) -> Motion:
    """Offer the right hand; where it meets the other one is worked out from both people."""
    return {'lean': 0.02, 'nod': 0.01, **right(arm=0.10, out=0.0, elbow=0.12, roll=0.0)}


@motion('hug')
def hug(t: np.ndarray, length_s: float) -> Motion:
    """Put both arms round the other person."""
    return {'lean': 0.03, 'tilt': 0.03, **both(arm=0.18, out=0.05, elbow=0.12, roll=-0.12)}


@motion('high five')
def high_five(t: np.ndarray, length_s: float) -> Motion:
    """Swing the right hand up to meet the other one above the heads."""
    up = high_five_height(t / length_s)
    return {'nod': -0.03 * up, **right(arm=0.005 + 0.37 * up, out=0.0, elbow=0.035 + 0.05 * up, roll=0.0)}


def high_five_height(part: np.ndarray) -> np.ndarray:
    """Return how far the hand is up at a part of the act."""
    return keys(part, (0.08, 0.42, 0.62, 0.95), (0.0, 1.0, 1.0, 0.0))


def stoop(deep: np.ndarray) -> Motion:
    """Return knees and back bent so that the hands come to the ground."""
    return {
        'hips_up': -0.25 * deep,
        'hips_fwd': -0.09 * deep,
        'lean': 0.16 * deep,
        'nod': -0.03 * deep,
        **both(arm=0.20, out=0.02, elbow=0.03, roll=0.0, foot_out=0.02 * deep, foot_pitch=0.02 * deep),
    }


@motion('lift')
def lift(t: np.ndarray, length_s: float) -> Motion:
    """Bend down to a box and rise with it."""
    return stoop(keys(t / length_s, (0.0, GRASP - 0.05, GRASP + 0.03, 0.95), (0.0, 1.0, 1.0, 0.0)))


@motion('put down')
def put_down(t: np.ndarray, length_s: float) -> Motion:
    """Lower a box to the ground and rise without it."""
    return stoop(keys(1.0 - t / length_s, (0.0, GRASP - 0.05, GRASP + 0.03, 0.95), (0.0, 1.0, 1.0, 0.0)))


@motion('hand over')
def hand_over(t: np.ndarray, length_s: float) -> Motion:
    """Stretch both arms out to the other person."""
    reach = pulse(t / length_s)
    return {'lean': 0.03 * reach, 'hips_fwd': 0.03 * reach}


@motion('bounce ball')
def bounce_ball(t: np.ndarray, length_s: float) -> Motion:
    """Beat a ball to the ground again and again."""
    down = pulse(cycles(t, length_s, 1.0 / BOUNCE_HZ) + 0.25)
    return {
        'lean': 0.035,
        'nod': 0.03,
        **right(arm=0.015 - 0.02 * down, out=0.03, elbow=0.215 - 0.09 * down, roll=-0.01),
    }


@motion('throw ball')
def throw_ball(t: np.ndarray, length_s: float) -> Motion:
    """Wind up behind the head, throw, follow through."""
    part = t / length_s
    marks = (0.0, 0.30, RELEASE, 0.62, 1.0)
    return {
        'twist': keys(part, marks, (0.0, -0.09, 0.05, 0.08, 0.0)),
        'lean': keys(part, marks, (0.0, -0.03, 0.05, 0.07, 0.0)),
        'foot_fwd_l': keys(part, marks, (0.0, 0.10, 0.12, 0.12, 0.0)),
        'foot_fwd_r': keys(part, marks, (0.0, -0.08, -0.08, -0.06, 0.0)),
        **right(
            arm=keys(part, marks, (0.02, 0.46, 0.36, 0.10, 0.005)),
            elbow=keys(part, marks, (0.05, 0.30, 0.04, 0.03, 0.03)),
            out=0.03,
            roll=0.0,
        ),
        **left(arm=keys(part, marks, (0.0, 0.20, 0.06, -0.06, 0.0))),
    }


@motion('drink', 'phone call')
def hand_to_head(t: np.ndarray, length_s: float) -> Motion:
    """Hold the right hand to the head, with a cup or a telephone."""
    sway = sin_turns(cycles(t, length_s, 1.7))
    return {'nod': -0.02 + 0.008 * sway, 'tilt': -0.02, **right(arm=0.105, out=0.045, elbow=0.385, roll=-0.055)}


@motion('read')
def read(t: np.ndarray, length_s: float) -> Motion:
    """Hold a book with both hands and look down at it."""
    line = cycles(t, length_s, 1.4)
    return {
        'nod': 0.065,
        'look': 0.022 - 0.044 * keys(line, (0.0, 0.75, 1.0), (0.0, 1.0, 0.0)),
        **both(arm=0.045, out=0.0, elbow=0.235, roll=-0.085),
    }


@motion('sweep')
def sweep(t: np.ndarray, length_s: float) -> Motion:
    """Draw a broom over the ground from side to side."""
    swing = sin_turns(cycles(t, length_s, 1.0))
    return {
        'lean': 0.055,
        'twist': 0.05 * swing,
        'nod': 0.04,
        'foot_fwd_l': 0.06,
        'foot_fwd_r': -0.04,
        'hand_r': (0.22 + 0.07 * swing, -0.06 + 0.05 * swing, 1.06),
        'hand_l': (0.36 + 0.12 * swing, 0.07 * swing, 0.80),
    }


@motion('wipe table')
def wipe_table(t: np.ndarray, length_s: float) -> Motion:
    """Rub a table in circles with the right hand, the left one rests on it."""
    phase = cycles(t, length_s, 0.8)
    return {
        'lean': 0.06,
        'nod': 0.04,
        'bend': -0.015 * sin_turns(phase),
        'hand_r': (0.46 + 0.11 * cos_turns(phase), -0.12 + 0.19 * sin_turns(phase), TABLE_M + 0.05),
        'hand_l': (0.34, 0.25, TABLE_M + 0.04),
    }


@motion('chop')
def chop(t: np.ndarray, length_s: float) -> Motion:
    """Cut on a table with quick strokes of the right hand, the left one holds."""
    lift = pulse(cycles(t, length_s, 0.4))
    along = keys(cycles(t, length_s, 2.0), (0.0, 0.85, 1.0), (0.0, 1.0, 0.0))
    return {
        'lean': 0.03,
        'nod': 0.055,
        'hand_r': (0.42, -0.10 + 0.10 * along, TABLE_M + 0.08 + 0.24 * lift),
        'hand_l': (0.40, 0.12 + 0.10 * along, TABLE_M + 0.06),
    }
