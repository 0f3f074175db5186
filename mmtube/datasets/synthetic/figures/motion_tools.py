"""What motions are made of: curves, repeated movements, channels for one side or both.

A motion is a function of the seconds since the act began and the length of the act. It returns the channels of
:data:`~.skeleton.CHANNELS` that it sets, and ``hand_l`` / ``hand_r`` (metres in front of the person, to the left and
above the ground) where a hand works at a place. What it does not set stays as it was, so that a person can walk and
wave.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..numerics import cos_turns, smoothstep

Values = np.ndarray | float
Motion = dict[str, Values | tuple[Values, Values, Values]]
MotionFunction = Callable[[np.ndarray, float], Motion]

RELEASE = 0.45  # part of 'throw ball' after which the ball flies
GRASP = 0.42  # part of 'lift' after which the box leaves the ground; 'put down' is its mirror image
BOUNCE_HZ = 1.6
TABLE_M = 0.85
BLEND_S = 0.25
MOTIONS: dict[str, MotionFunction] = {}


def motion(*names: str) -> Callable[[MotionFunction], MotionFunction]:
    """Register a function as the motion of one action, or of several that look alike."""

    def register(function: MotionFunction) -> MotionFunction:
        MOTIONS.update(dict.fromkeys(names, function))
        return function

    return register


def keys(phase: np.ndarray, times: tuple[float, ...], values: tuple[float, ...]) -> np.ndarray:
    """Return a curve without corners through the given values at the given times, constant outside."""
    curve = np.full_like(phase, values[0])
    for begin, end, first, last in zip(times[:-1], times[1:], values[:-1], values[1:]):
        if last != first:
            curve = curve + (last - first) * smoothstep((phase - begin) / (end - begin))
    return curve


def cycles(t: np.ndarray, length_s: float, period_s: float) -> np.ndarray:
    """Return the phase in [0, 1) of a movement that is repeated a whole number of times, each near ``period_s``."""
    phase = t / length_s * max(1.0, np.floor(length_s / period_s + 0.5))
    return phase - np.floor(phase)


def pulse(phase: np.ndarray) -> np.ndarray:
    """Return 0 at phase 0, 1 in the middle and 0 at phase 1, smoothly."""
    return 0.5 - 0.5 * cos_turns(phase)


def both(**channels: Values) -> Motion:
    """Return the channels for the left and the right side."""
    return {f'{name}_{side}': value for name, value in channels.items() for side in ('l', 'r')}


def right(**channels: Values) -> Motion:
    """Return the channels for the right side."""
    return {f'{name}_r': value for name, value in channels.items()}


def left(**channels: Values) -> Motion:
    """Return the channels for the left side."""
    return {f'{name}_l': value for name, value in channels.items()}


def arms_hang() -> Motion:
    """Return arms at rest."""
    return both(arm=0.005, out=0.025, elbow=0.035, roll=0.0)
