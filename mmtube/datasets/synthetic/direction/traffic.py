"""People who come and go: on their way in and out, and strangers who pass or stand about."""

from __future__ import annotations

import numpy as np

from ..script import Act
from ..vocabulary import ATOMIC_ACTIONS, POSE
from .blocking import Stage, Track

BACK_M, FRONT_M = (6.4, 8.0), (3.1, 3.4)  # where strangers pass
# What strangers do, which nobody labels.
PASTIMES = tuple(
    action.name
    for action in ATOMIC_ACTIONS
    if action.group == POSE and not action.speed_mps[1] and action.name not in ('turn around', 'sit down', 'stand up')
)


def between(rng: np.random.Generator, span: tuple[float, float]) -> float:
    """Return a random number within a span."""
    return span[0] + (span[1] - span[0]) * rng.random()


def pace_of(rng: np.random.Generator, run_chance: float) -> tuple[str, float]:
    """Return how somebody goes, and how fast in metres a second."""
    if rng.random() < run_chance:
        return 'run', between(rng, (2.7, 4.0))
    return 'walk', between(rng, (1.1, 1.5))


def go(track: Track, x_m: float, name: str, speed_mps: float) -> None:
    """Walk or run across the picture, outside of any activity."""
    start_s = track.now_s
    track.travel(x_m, track.z_m, track.travel_s(x_m, track.z_m, speed_mps))
    track.acts.append(Act(name, start_s, track.now_s))


def go_out(rng: np.random.Generator, stage: Stage, track: Track, run_chance: float = 0.0) -> None:
    """Leave the picture, mostly by the nearer side."""
    side = 1.0 if (track.x_m > 0) != (rng.random() < 0.25) else -1.0
    go(track, side * stage.arena.outside_m(track.z_m), *pace_of(rng, run_chance))


def stay_out(stage: Stage, track: Track) -> None:
    """Be away from now to the end of the scene."""
    if track.now_s < stage.end_s:
        track.absent.append((track.now_s, stage.end_s + 1.0))
        track.now_s = stage.end_s


def leave_and_return(rng: np.random.Generator, stage: Stage, track: Track, away_s: float) -> None:
    """Leave the picture, in a hurry or not, and come back after ``away_s`` by either side."""
    go_out(rng, stage, track, run_chance=0.4)
    x = (1 if rng.random() < 0.5 else -1) * stage.arena.outside_m(track.z_m)
    track.reappear(track.now_s + away_s, x, track.z_m, 0.0 if x < 0 else 0.5)


def stranger(rng: np.random.Generator, stage: Stage, person: int) -> None:
    """Put somebody on the stage who passes, or stands about and does what nobody labels."""
    if rng.random() < 0.55:
        _pass_by(rng, stage, person)
        return
    z = between(rng, BACK_M)
    x = stage.arena.x_m((rng.random() - 0.5) * 0.72 * stage.arena.width_px, z)
    track = Track(person, stage.start_s, x, z, 0.75 + (rng.random() - 0.5) * 0.4)
    stage.tracks[person] = track
    while stage.end_s - track.now_s > 3.0:
        track.now_s += 0.5 + 3.0 * rng.random()
        _pass_time(rng, stage, track)


def _pass_by(rng: np.random.Generator, stage: Stage, person: int) -> None:
    """Cross the picture, before or behind the others, and perhaps stop on the way."""
    arena = stage.arena
    z = between(rng, FRONT_M if rng.random() < 0.25 else BACK_M)
    side = 1.0 if rng.random() < 0.5 else -1.0
    track = Track(person, stage.start_s, -side * arena.outside_m(z), z, 0.0 if side > 0 else 0.5)
    start_s = stage.start_s + rng.random() * max(stage.end_s - stage.start_s - 4.0, 0.0)
    track.absent.append((stage.start_s, start_s))
    track.now_s = start_s
    stage.tracks[person] = track
    if z > FRONT_M[1] and rng.random() < 0.4:
        go(track, side * arena.x_m((rng.random() - 0.6) * 0.62 * arena.width_px, z), *pace_of(rng, 0.0))
        track.turn_to(0.75, 0.4)
        track.now_s += 0.6
        _pass_time(rng, stage, track)
    go(track, side * arena.outside_m(z), *pace_of(rng, 0.2))
    stay_out(stage, track)


def _pass_time(rng: np.random.Generator, stage: Stage, track: Track) -> None:
    name = PASTIMES[int(rng.integers(len(PASTIMES)))]
    seconds = 1.5 + 2.0 * rng.random()
    if track.now_s + seconds < stage.end_s:
        track.acts.append(Act(name, track.now_s, track.now_s + seconds))
    track.now_s += seconds
