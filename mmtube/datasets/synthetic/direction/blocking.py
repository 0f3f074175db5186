"""Where people are and which way they look: moves and turns written down in the order of time, then made to arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ..numerics import cos_turns, sin_turns, smoothstep
from ..script import Act, Activity, Color, Furniture

RAMP_S = 0.25  # of starting and of stopping
TURN_LAG_S = 0.2  # a body turns before it goes
COVER_KINDS, SOLID_KINDS = ('pillar', 'bush', 'sign'), ('chair', 'table')


def turns_of(x: float, z: float) -> float:
    """Return the yaw in turns, right to 0.001, of a body that goes along (x, z)."""
    small, large = min(abs(x), abs(z)), max(abs(x), abs(z))
    if large == 0:
        return 0.0
    ratio = small / large
    turns = ratio / 8 + 0.04345 * ratio * (1 - ratio)  # of the first eighth, by a parabola: no libm
    turns = 0.25 - turns if abs(z) > abs(x) else turns
    turns = 0.5 - turns if x < 0 else turns
    return -turns % 1.0 if z < 0 else turns


def shortest_turn(start: float, end: float) -> float:
    """Return the turn from one yaw to another, in [-0.5, 0.5)."""
    return (end - start + 0.5) % 1.0 - 0.5


def ahead(yaw: float, metres: float) -> tuple[float, float]:
    """Return the step in X and Z of ``metres`` in the direction of ``yaw``."""
    return float(cos_turns(yaw)) * metres, float(sin_turns(yaw)) * metres


@dataclass(frozen=True)
class Arena:
    """The ground that a camera sees.

    Args:
        focal_px (float): The longest focal length of the cameras of a scene.
        width_px (int): Width of the picture.
        pan_px (float): How far the picture is shifted at most. Defaults to 0.
    """

    focal_px: float
    width_px: int
    pan_px: float = 0.0

    def x_m(self, px: float, z_m: float) -> float:
        """Return X of what appears ``px`` right of the middle at a distance of ``z_m``."""
        return px * z_m / self.focal_px

    def limit_m(self, z_m: float, margin_px: float = 28.0) -> float:
        """Return the largest X that lies well inside the picture, most of a pan included.

        Args:
            z_m (float): Distance.
            margin_px (float): To the edge, in a picture of 320 pixels. Defaults to 28.
        """
        return self.x_m(self.width_px / 2 - margin_px * self.width_px / 320 - 0.6 * self.pan_px, z_m)

    def outside_m(self, z_m: float) -> float:
        """Return the smallest X at which nothing of a person is in the picture."""
        return self.x_m(self.width_px / 2 + self.pan_px, z_m) + 0.75


@dataclass
class Move:
    """Going by (x, z) metres; ``ramp_s`` of starting and of stopping."""

    start_s: float
    seconds: float
    x_m: float
    z_m: float

    def done(self, times_s: np.ndarray) -> np.ndarray:
        """Return the part of the way, 0 to 1, that lies behind."""
        ramp = min(RAMP_S, 0.4 * self.seconds) / self.seconds
        u = np.clip((times_s - self.start_s) / self.seconds, 0.0, 1.0)
        peak = 1.0 / (1.0 - ramp)
        first, last = u * u * (peak / (2 * ramp)), 1.0 - (1.0 - u) * (1.0 - u) * (peak / (2 * ramp))
        return np.where(u < ramp, first, np.where(u > 1 - ramp, last, (u - ramp / 2) * peak))


@dataclass
class Track:
    """One person through one scene; the cursor (``now_s``, ``x_m``, ``z_m``, ``yaw``) is where the writing stands.

    Args:
        person (int): Index into the people of the film.
        now_s (float): Start of the scene in film time.
        x_m, z_m, yaw (float): Where the person is then.
    """

    person: int
    now_s: float
    x_m: float
    z_m: float
    yaw: float
    moves: list[Move] = field(default_factory=list)
    turns: list[tuple[float, float, float]] = field(default_factory=list)  # start, seconds, by
    jumps: list[tuple[float, float, float, float]] = field(default_factory=list)  # time, by x, z, yaw
    absent: list[tuple[float, float]] = field(default_factory=list)
    seats: list[tuple[float, float]] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._first = (self.x_m, self.z_m, self.yaw)

    def turn_to(self, yaw: float, seconds: float, by: float | None = None) -> None:
        """Turn from now on, the shortest way unless ``by`` says how far; the cursor's time stays."""
        by = shortest_turn(self.yaw, yaw) if by is None else by
        if abs(by) > 1e-9:
            self.turns.append((self.now_s, seconds, by))
            self.yaw = (self.yaw + by) % 1.0

    def shift(self, x_m: float, z_m: float, seconds: float, delay_s: float = 0.0) -> None:
        """Move by (x, z) without turning; the cursor's time stays."""
        if x_m or z_m:
            self.moves.append(Move(self.now_s + delay_s, seconds, x_m, z_m))
            self.x_m, self.z_m = self.x_m + x_m, self.z_m + z_m

    def lag_s(self, yaw: float) -> float:
        """Return how long a body that is to go along ``yaw`` turns before it goes."""
        return TURN_LAG_S if abs(shortest_turn(self.yaw, yaw)) > 0.1 else 0.0

    def travel(self, x_m: float, z_m: float, seconds: float) -> None:
        """Turn towards a place and be there in ``seconds``."""
        dx, dz = x_m - self.x_m, z_m - self.z_m
        yaw = turns_of(dx, dz)
        lag = self.lag_s(yaw)
        self.turn_to(yaw, min(0.4, seconds))
        self.shift(dx, dz, seconds - lag, lag)
        self.now_s += seconds

    def travel_s(self, x_m: float, z_m: float, speed_mps: float) -> float:
        """Return how long :meth:`travel` takes at a pace."""
        dx, dz = x_m - self.x_m, z_m - self.z_m
        return self.lag_s(turns_of(dx, dz)) + math.sqrt(dx * dx + dz * dz) / speed_mps + RAMP_S

    def reappear(self, at_s: float, x_m: float, z_m: float, yaw: float) -> None:
        """Be away from now until ``at_s``, then elsewhere."""
        self.absent.append((self.now_s, at_s))
        self.jumps.append((at_s, x_m - self.x_m, z_m - self.z_m, shortest_turn(self.yaw, yaw)))
        self.now_s, self.x_m, self.z_m, self.yaw = at_s, x_m, z_m, yaw

    def sample(self, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return position (T, 2), yaw (T,), present (T,) and seated (T,) at the given times."""
        x, z, yaw = (np.full(len(times_s), value, np.float64) for value in self._first)
        for move in self.moves:
            done = move.done(times_s)
            x, z = x + done * move.x_m, z + done * move.z_m
        for start_s, seconds, by in self.turns:
            yaw = yaw + smoothstep((times_s - start_s) / seconds) * by
        present, seated = np.ones(len(times_s), bool), np.zeros(len(times_s), bool)
        for at_s, dx, dz, by in self.jumps:
            there = times_s >= at_s
            x, z, yaw = x + there * dx, z + there * dz, yaw + there * by
        for start_s, end_s in self.absent:
            present &= (times_s < start_s) | (times_s >= end_s)
        for start_s, end_s in self.seats:
            seated |= (times_s >= start_s) & (times_s < end_s)
        return np.stack([x, z], axis=1), yaw, present, seated


@dataclass
class PropPlan:
    """One object through one scene: where it rests from when on, who holds it when, and when it is there."""

    kind: str
    color: Color
    grip: str
    rests: list[tuple[float, float, float, float]]  # time, X, Y, Z; the first also holds before its time
    holds: list[tuple[float, float, int]] = field(default_factory=list)
    shown: tuple[float, float] = (0.0, math.inf)

    def sample(self, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rest (T, 3), holder (T,) and present (T,) at the given times."""
        holder = np.full(len(times_s), -1, np.int16)
        rest = np.tile(np.array(self.rests[0][1:], np.float64), (len(times_s), 1))
        for at_s, *place in self.rests[1:]:
            rest[times_s >= at_s] = place
        for start_s, end_s, person in self.holds:
            holder[(times_s >= start_s) & (times_s < end_s)] = person
        return rest, holder, (times_s >= self.shown[0]) & (times_s < self.shown[1])


@dataclass
class Stage:
    """One scene while it is written: who is there, with what, until when.

    Args:
        start_s, end_s (float): Span in film time.
        arena (Arena): What the cameras see.
        scene (str): Kind of place.
    """

    start_s: float
    end_s: float
    arena: Arena
    scene: str
    tracks: dict[int, Track] = field(default_factory=dict)
    props: list[PropPlan] = field(default_factory=list)
    furniture: list[Furniture] = field(default_factory=list)
    places: dict[tuple[int, str], tuple[float, float, float]] = field(default_factory=dict)  # of chairs and tables

    def free_x(self, x_m: float, z_m: float, half_m: float = 0.3) -> float:
        """Return the X nearest to ``x_m`` where one is neither hidden by furniture nor stands in it.

        Args:
            x_m, z_m (float): Where one would like to be.
            half_m (float): Half of the width that is to be free. Defaults to 0.3.
        """
        hidden, solid = [], []
        for thing in self.furniture:
            half = thing.width_m / 2
            if thing.kind in COVER_KINDS and thing.z_m < z_m:
                away = z_m / thing.z_m  # its shadow grows
                hidden.append(((thing.x_m - half) * away - half_m, (thing.x_m + half) * away + half_m))
            elif thing.kind in SOLID_KINDS and abs(thing.z_m - z_m) < 0.6:
                solid.append((thing.x_m - half - half_m - 0.15, thing.x_m + half + half_m + 0.15))
        limit = max(self.arena.limit_m(z_m), abs(x_m))
        for taken in (hidden + solid, hidden):  # to be seen matters more
            places = [x_m, *(edge for span in taken for edge in span)]
            free = [x for x in places if abs(x) <= limit and not any(a < x < b for a, b in taken)]
            if free:
                return min(free, key=lambda x: abs(x - x_m))
        return x_m
