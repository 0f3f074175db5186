"""From the script of a person to a pose in every frame: standing, going, sitting, and the acts on top."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..numerics import generator, sin_turns, smoothstep
from ..script import Act, FilmScript
from . import motions, object_motions  # noqa: F401  they register the motions
from .gait import gait
from .motion_tools import BLEND_S, MOTIONS, Motion, Values, arms_hang
from .skeleton import CHANNELS, STANDING_UP, Pose, Stand

SEAT_M = 0.45
MIRRORED = ('hips_left', 'bend', 'twist', 'look', 'tilt')  # change sign when left and right are swapped


@dataclass(frozen=True, eq=False)
class Reach:
    """A hand that goes to a place.

    Args:
        side (str): ``'l'`` or ``'r'``.
        target_m (np.ndarray): (T, 3).
        weight (np.ndarray): (T,) in [0, 1].
    """

    side: str
    target_m: np.ndarray
    weight: np.ndarray


def act_frames(act: Act, script: FilmScript) -> slice:
    """Return the frames of an act, those with start <= time < end."""
    first = int(np.ceil(act.start_s * script.fps - 1e-6))
    last = int(np.ceil(act.end_s * script.fps - 1e-6))
    return slice(min(max(first, 0), script.num_frames), min(max(last, 0), script.num_frames))


def act_times(act: Act, script: FilmScript) -> tuple[slice, np.ndarray, float]:
    """Return the frames of an act, the seconds since it began there, and its length in seconds."""
    frames = act_frames(act, script)
    length_s = max(act.end_s - act.start_s, 1.0 / script.fps)
    return frames, np.clip(np.arange(frames.start, frames.stop) / script.fps - act.start_s, 0.0, length_s), length_s


def mirror(motion: Motion) -> Motion:
    """Swap left and right."""
    swapped: Motion = {}
    for name, value in motion.items():
        stem, _, side = name.rpartition('_')
        if stem == 'hand':
            fwd, left, up = value  # type: ignore[misc]
            value = (fwd, -left, up)
        elif name in MIRRORED:
            value = -value  # type: ignore[operator]
        swapped[f'{stem}_{"r" if side == "l" else "l"}' if side in ('l', 'r') else name] = value
    return swapped


def _lay(pose: Pose, name: str, frames: slice, value: Values, weight: np.ndarray | float) -> None:
    under = pose[name][frames]
    pose[name][frames] = under + (value - under) * weight


def sitting(script: FilmScript, person: int) -> np.ndarray:
    """Return how far a person sits, (T,) from 0 to 1."""
    who = script.people[person]
    seated = who.seated.astype(np.float64)
    for act in who.acts:
        if act.action in ('sit down', 'stand up'):
            frames, t, length_s = act_times(act, script)
            down = smoothstep((t / length_s - 0.08) / 0.84)
            seated[frames] = down if act.action == 'sit down' else 1.0 - down
    return seated


def _sit(pose: Pose, seated: np.ndarray, height_m: float) -> None:
    """Lay sitting over a pose: first one foot steps forward, then the other, and the hips go down to the seat."""
    everything = slice(None)
    # As high as the seat, and the flesh on it.
    _lay(pose, 'hips_up', everything, (SEAT_M + 0.03) / height_m + 0.04 - STANDING_UP, seated)
    _lay(pose, 'hips_fwd', everything, -0.03, seated)
    for side, begin in (('l', 0.02), ('r', 0.42)):
        step = smoothstep((seated - begin) / 0.5)
        _lay(pose, f'foot_fwd_{side}', everything, 0.215, step)
        _lay(pose, f'foot_up_{side}', everything, 0.0, seated)
        pose[f'foot_up_{side}'] += 0.10 * step * (1.0 - step)
        for name, value in (('arm', 0.075), ('out', 0.03), ('elbow', 0.13), ('roll', -0.03)):
            _lay(pose, f'{name}_{side}', everything, value, seated)


def manner(script: FilmScript, person: int) -> tuple[float, float, float]:
    """Return what is a person's own: the tempo, how far the arms swing (1 is average), and when the body sways."""
    rng = generator(script.seed, 9001, person)
    return 0.92 + 0.16 * rng.random(), 0.8 + 0.4 * rng.random(), rng.random()


def pose_person(script: FilmScript, person: int) -> tuple[Stand, Pose, list[Reach]]:
    """Work out the pose of a person in every frame, without what depends on other people and on objects.

    Args:
        script (FilmScript): The film.
        person (int): Index of the person.

    Returns:
        tuple[Stand, Pose, list[Reach]]: Place, angles, and where the hands work at a place.
    """
    who = script.people[person]
    height_m, frames_all = who.look.height_m, script.num_frames
    # While a person is absent there may be no number.
    position_m = np.nan_to_num(who.position_m)
    stand = Stand.of(position_m, np.nan_to_num(who.yaw), height_m)
    tempo, swing, sway_at = manner(script, person)

    pose = {name: np.zeros(frames_all) for name in CHANNELS}
    sway = sin_turns(np.arange(frames_all) / script.fps * 0.27 + sway_at)
    pose['hips_left'] += 0.006 * sway
    pose['bend'] += -0.003 * sway
    pose['nod'] += 0.004 * sway
    for name, value in arms_hang().items():
        pose[name] += value + (0.004 * sway if name.startswith('out') else 0.0)
    going, weight = gait(position_m, stand.fwd, script.fps, height_m, swing)
    for name, value in going.items():
        _lay(pose, name, slice(None), value, weight)  # type: ignore[arg-type]
    _sit(pose, sitting(script, person), height_m)

    reaches = []
    for act in who.acts:
        frames, t, length_s = act_times(act, script)
        if frames.start >= frames.stop:
            continue
        blend_s = min(BLEND_S, length_s / 4)
        weight = np.minimum(smoothstep(t / blend_s), smoothstep((length_s - t) / blend_s))
        # Everyone has a tempo of their own; what is tied to a part of the act stays there.
        motion = MOTIONS[act.action](t * tempo, length_s * tempo)
        if act.prop is not None and script.props[act.prop].grip == 'left':
            motion = mirror(motion)
        for name, value in motion.items():
            if isinstance(value, tuple):
                target = np.zeros((frames_all, 3))
                target[frames] = stand.part(frames).point(*value)
                full = np.zeros(frames_all)
                full[frames] = weight
                reaches.append(Reach(name[-1], target, full))
            else:
                _lay(pose, name, frames, value, weight)
    return stand, pose, reaches
