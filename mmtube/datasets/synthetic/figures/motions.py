"""How people move on their own: walking and sitting, gestures, blows.

See :mod:`.motion_tools` for what a motion is. Actions that look alike share one function: only what is there tells them
apart.
"""

from __future__ import annotations

import numpy as np

from ..numerics import sin_turns
from .motion_tools import Motion, both, cycles, keys, left, motion, pulse, right

STRIKE = 0.42  # part of a kick at which the foot hits


@motion('walk', 'run', 'lead by hand', 'carry')
def nothing(t: np.ndarray, length_s: float) -> Motion:
    """Set nothing: the gait follows the path, and the hands what they hold."""
    return {}


@motion('jump')
def jump(t: np.ndarray, length_s: float) -> Motion:
    """Hop on the spot, arms thrown up."""
    phase = cycles(t, length_s, 1.05)
    flight = np.clip((phase - 0.34) / 0.40, 0.0, 1.0)
    air = 0.20 * 4.0 * flight * (1.0 - flight)
    crouch = keys(phase, (0.0, 0.22, 0.36, 0.70, 0.80, 1.0), (0.0, -0.13, 0.0, 0.0, -0.08, 0.0))
    tuck = 0.09 * keys(phase, (0.36, 0.52, 0.74), (0.0, 1.0, 0.0))
    arm = keys(phase, (0.0, 0.14, 0.48, 0.60, 1.0), (0.0, -0.06, 0.34, 0.33, 0.0))
    return {
        'hips_up': crouch,
        'hips_fwd': 0.3 * crouch,
        'lean': -0.8 * crouch,
        'air': air,
        **both(foot_up=tuck, foot_pitch=0.9 * tuck, arm=arm, out=0.05, elbow=0.04, roll=0.0),
    }


@motion('squat')
def squat(t: np.ndarray, length_s: float) -> Motion:
    """Bend the knees deeply and rise, arms held in front."""
    deep = pulse(cycles(t, length_s, 1.6))
    deep = deep * (2.0 - deep)
    return {
        'hips_up': -0.27 * deep,
        'hips_fwd': -0.09 * deep,
        'lean': 0.10 * deep,
        **both(arm=0.26 * deep, out=0.01, elbow=0.02, roll=0.0, foot_out=0.03, foot_pitch=0.03 * deep),
    }


@motion('bow')
def bow(t: np.ndarray, length_s: float) -> Motion:
    """Bend the upper body forward once, arms at the trousers' seam."""
    deep = keys(t / length_s, (0.0, 0.38, 0.62, 1.0), (0.0, 1.0, 1.0, 0.0))
    return {
        'lean': 0.21 * deep,
        'hips_fwd': -0.08 * deep,
        'nod': 0.05 * deep,
        **both(arm=0.06 * deep, out=0.01, elbow=0.01, roll=0.0),
    }


@motion('turn around')
def turn_around(t: np.ndarray, length_s: float) -> Motion:
    """Step on the spot while the whole body turns; the turn itself is in the script."""
    phase = cycles(t, length_s, 0.55)
    step = 0.055
    return {
        'look': 0.06 * keys(t / length_s, (0.0, 0.2, 0.7, 1.0), (0.0, 1.0, 1.0, 0.0)),
        'hips_left': 0.015 * sin_turns(phase),
        **left(foot_up=step * np.maximum(-sin_turns(phase), 0.0)),
        **right(foot_up=step * np.maximum(sin_turns(phase), 0.0)),
        **both(out=0.07, elbow=0.09),
    }


@motion('stretch')
def stretch(t: np.ndarray, length_s: float) -> Motion:
    """Reach up with joined hands, on the toes, and sway from side to side."""
    sway = sin_turns(cycles(t, length_s, 2.2))
    up = keys(t, (0.0, 0.5, max(length_s - 0.5, 0.6), max(length_s, 0.7)), (0.0, 1.0, 1.0, 0.0))
    return {
        'bend': 0.075 * sway * up,
        'nod': -0.04 * up,
        'hips_up': 0.035 * up,
        'hips_left': -0.03 * sway * up,
        **both(arm=0.49 * up, out=0.0, elbow=0.05, roll=-0.25, foot_pitch=0.06 * up),
    }


@motion('twist waist')
def twist_waist(t: np.ndarray, length_s: float) -> Motion:
    """Turn the chest left and right with arms held out sideways."""
    turn = sin_turns(cycles(t, length_s, 1.3))
    return {
        'twist': 0.17 * turn,
        'look': -0.06 * turn,
        **both(arm=0.0, out=0.235, elbow=0.02, roll=0.0, foot_out=0.03),
    }


@motion('raise arms')
def raise_arms(t: np.ndarray, length_s: float) -> Motion:
    """Hold both arms up and apart, as one who cheers."""
    pump = pulse(cycles(t, length_s, 0.8))
    return {'nod': -0.03, **both(arm=0.0, out=0.37 + 0.05 * pump, elbow=0.05 - 0.03 * pump, roll=0.25)}


@motion('wave hand')
def wave_hand(t: np.ndarray, length_s: float) -> Motion:
    """Wave the right hand beside the head."""
    swing = sin_turns(cycles(t, length_s, 0.5))
    return {'tilt': -0.015, **right(arm=0.03, out=0.27, elbow=0.20 + 0.085 * swing, roll=0.24)}


@motion('clap')
def clap(t: np.ndarray, length_s: float) -> Motion:
    """Beat the hands together in front of the chest."""
    apart = pulse(cycles(t, length_s, 0.42) + 0.5)
    return {'nod': 0.01, **both(arm=0.09, out=0.02 + 0.045 * apart, elbow=0.19, roll=-0.125 + 0.17 * apart)}


@motion('kick', 'kick ball')
def kick(t: np.ndarray, length_s: float) -> Motion:
    """Swing the right leg back and kick forward."""
    phase = cycles(t, length_s, 1.2)
    marks = (0.05, 0.32, 0.50, 0.62, 0.90)
    swing = keys(phase, marks, (0.0, -0.22, 0.42, 0.42, 0.0))
    return {
        'lean': keys(phase, marks, (0.0, 0.03, -0.05, -0.05, 0.0)),
        'hips_fwd': keys(phase, marks, (0.0, -0.02, 0.03, 0.03, 0.0)),
        'hips_left': 0.02 * keys(phase, marks, (0.0, 1.0, 1.0, 1.0, 0.0)),
        **right(
            foot_fwd=swing,
            foot_up=keys(phase, (0.05, 0.24, STRIKE - 0.04, 0.56, 0.62, 0.90), (0.0, 0.11, 0.02, 0.30, 0.30, 0.0)),
            foot_pitch=keys(phase, marks, (0.0, 0.16, -0.08, -0.08, 0.0)),
            arm=-0.28 * swing,
        ),
        **left(arm=0.34 * swing),
        **both(out=0.10, elbow=0.06, roll=0.0),
    }


@motion('punch', 'hit person')
def punch(t: np.ndarray, length_s: float) -> Motion:
    """Strike with the fists in turn, from a boxer's guard."""
    phase = cycles(t, length_s, 0.8)
    hits = {
        'r': keys(phase, (0.08, 0.22, 0.28, 0.44), (0.0, 1.0, 1.0, 0.0)),
        'l': keys(phase, (0.58, 0.72, 0.78, 0.94), (0.0, 1.0, 1.0, 0.0)),
    }
    result: Motion = {
        'twist': 0.08 * (hits['r'] - hits['l']),
        'lean': 0.025,
        'hips_up': -0.02,
        'foot_fwd_l': 0.07,
        'foot_fwd_r': -0.07,
    }
    for side, hit in hits.items():
        result[f'arm_{side}'] = 0.05 + 0.20 * hit
        result[f'elbow_{side}'] = 0.37 - 0.36 * hit
        result[f'out_{side}'] = 0.02
        result[f'roll_{side}'] = -0.03 * (1.0 - hit)
    return result


def push_arms(thrust: np.ndarray | float) -> Motion:
    """Return both arms pushing, from drawn back to stretched."""
    return both(arm=-0.05 + 0.24 * thrust, elbow=0.31 - 0.25 * thrust, out=0.025, roll=-0.01)


@motion('push person')
def push_person(t: np.ndarray, length_s: float) -> Motion:
    """Thrust both hands forward with the weight of the body."""
    thrust = keys(cycles(t, length_s, 1.1), (0.15, 0.40, 0.60, 0.90), (0.0, 1.0, 1.0, 0.0))
    return {
        'lean': 0.015 + 0.05 * thrust,
        'hips_fwd': -0.03 + 0.08 * thrust,
        'foot_fwd_l': 0.10,
        'foot_fwd_r': -0.08,
        **push_arms(thrust),
    }


@motion('push cart')
def push_cart(t: np.ndarray, length_s: float) -> Motion:
    """Lean forward with both arms stretched to the handle."""
    return {'lean': 0.035, **push_arms(1.0)}


@motion('sit down', 'stand up')
def on_the_way(t: np.ndarray, length_s: float) -> Motion:
    """Lean forward for balance; how far the person sits follows from the script."""
    return {'lean': 0.07 * pulse(np.clip(t / length_s, 0.0, 1.0))}
