"""Hands that meet: where two people touch each other."""

from __future__ import annotations

import numpy as np

from ..numerics import sin_turns, smoothstep
from ..script import Act, FilmScript
from .geometry import dot, mix, unit
from .object_motions import high_five_height
from .posing import Reach, act_times
from .skeleton import Skeleton, Stand

SHAKE_HZ = 2.4
TOUCHING = ('shake hands', 'hug', 'high five', 'lead by hand')


def _full(script: FilmScript, frames: slice, side: str, target: np.ndarray, weight: np.ndarray) -> Reach:
    target_all, weight_all = np.zeros((script.num_frames, 3)), np.zeros(script.num_frames)
    target_all[frames], weight_all[frames] = target, weight
    return Reach(side, target_all, weight_all)


def partner_reaches(
    script: FilmScript, act: Act, person: int, stands: list[Stand], skeletons: list[Skeleton]
) -> list[Reach]:
    """Return where the hands of a person go in an act with another person.

    Hands meet half-way, in a hug they lie on the other one's back. The skeletons need not have their arms in place.

    Args:
        script (FilmScript): The film.
        act (Act): What the person does.
        person (int): Who.
        stands (list[Stand]): Places of all people.
        skeletons (list[Skeleton]): Joints of all people.

    Returns:
        list[Reach]: Nothing for an act without touch.
    """
    if act.action not in TOUCHING or act.partner is None:
        return []
    frames, t, length_s = act_times(act, script)
    me, other = stands[person].part(frames), stands[act.partner].part(frames)
    blend_s = min(0.35, length_s / 3)
    weight = np.minimum(smoothstep(t / blend_s), smoothstep((length_s - t) / blend_s))
    height_m = (me.height_m + other.height_m) / 2
    middle = mix(me.ground_m, other.ground_m, 0.5)
    towards = unit(other.ground_m - me.ground_m)
    middle -= towards * 0.02  # hands are thick
    if act.action == 'shake hands':
        middle[:, 1] = 0.56 * height_m + 0.04 * sin_turns(SHAKE_HZ * t)
        return [_full(script, frames, 'r', middle, weight)]
    if act.action == 'high five':
        up = high_five_height(t / length_s)
        middle[:, 1] = (0.75 + 0.30 * up) * height_m
        return [_full(script, frames, 'r', middle, up * up)]
    if act.action == 'lead by hand':
        middle[:, 1] = 0.47 * height_m
        at = len(t) // 2
        side = 'l' if len(t) and dot(me.left, towards)[at] > 0 else 'r'
        return [_full(script, frames, side, middle, weight)]
    chest = skeletons[act.partner]['chest'][frames]
    reaches = []
    for side, sign, drop in (('l', 1.0, 0.03), ('r', -1.0, 0.13)):
        back = chest + towards * 0.13 + me.left * (sign * 0.05)
        back[:, 1] -= drop * height_m
        reaches.append(_full(script, frames, side, back, weight))
    return reaches
