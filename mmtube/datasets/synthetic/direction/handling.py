"""Objects and furniture of an activity: where they lie, who holds them from when to when."""

from __future__ import annotations

import math

import numpy as np

from ..figures.props import BOX_START_M, CART_AHEAD_M, FLIGHT_S, ROLL_S, roll_m
from ..script import Furniture
from ..vocabulary import BY_NAME
from .blocking import PropPlan, Stage, Track, ahead, shortest_turn

LONGEST_PAUSE_S = 0.5  # between two acts of an activity, and a little more
HELD_THROUGHOUT = ('broom', 'book')
IN_POCKET = ('cup', 'phone')  # not to be seen before and after
GRIPS = {'box': 'both', 'cart': 'both', 'book': 'both', 'broom': 'both'}
COLORS = {
    'box': ((70, 120, 175), (95, 140, 190), (60, 95, 150)),
    'cart': ((160, 160, 165), (60, 60, 190), (150, 100, 40)),
    'ball': ((30, 110, 230), (235, 235, 235), (40, 200, 230)),
    'cup': ((240, 240, 240), (60, 60, 220), (200, 130, 40)),
    'phone': ((25, 25, 25), (200, 200, 205)),
    'book': ((40, 40, 170), (130, 80, 30), (60, 130, 60)),
    'broom': ((60, 130, 180), (70, 170, 200)),
    'cloth': ((90, 200, 240), (220, 160, 90)),
    'knife': ((190, 190, 195),),
}
WOOD = ((70, 105, 140), (95, 125, 150), (60, 80, 110))
BALL_AHEAD_M, TABLE_AHEAD_M = 0.45, 0.42
TABLE_WIDTH_M, TABLE_HEIGHT_M, SEAT_WIDTH_M, SEAT_HEIGHT_M = 1.0, 0.85, 0.5, 0.45


def _color(rng: np.random.Generator, kind: str) -> tuple[int, int, int]:
    return COLORS[kind][int(rng.integers(len(COLORS[kind])))]


class Handling:
    """What one or two people handle during an activity.

    Args:
        stage (Stage): Objects and furniture are added to it.
        rng (np.random.Generator): Source of chance for colours.

    Attributes:
        props (dict[str, int]): Objects of this activity by kind, indices into ``stage.props``.
    """

    def __init__(self, stage: Stage, rng: np.random.Generator) -> None:
        self.stage, self.rng = stage, rng
        self.props: dict[str, int] = {}

    def bring(self, kind: str, track: Track, since_s: float) -> None:
        """Have somebody hold an object from now until :meth:`let_go`."""
        self.props[kind] = self._new_prop(kind, track, 0.0)
        plan = self.stage.props[self.props[kind]]
        plan.shown = (since_s, math.inf)
        plan.holds.append((since_s, math.inf, track.person))

    def hand_over(self, kind: str, at_s: float, person: int) -> None:
        """Let an object change hands."""
        held = self.stage.props[self.props[kind]].holds
        held[-1] = (held[-1][0], at_s, held[-1][2])
        held.append((at_s, math.inf, person))

    def _new_prop(self, kind: str, track: Track, ahead_m: float, height_m: float = 0.0) -> int:
        dx, dz = ahead(track.yaw, ahead_m)
        rest = (self.stage.start_s, track.x_m + dx, height_m, track.z_m + dz)
        plan = PropPlan(kind, _color(self.rng, kind), GRIPS.get(kind, 'right'), [rest])
        self.stage.props.append(plan)
        return len(self.stage.props) - 1

    def _from_table(self, kind: str, track: Track) -> int:
        """Return the tool that lies on a table, a new one if there is none."""
        new = self._new_prop(kind, track, TABLE_AHEAD_M + 0.2, TABLE_HEIGHT_M)
        rest = self.stage.props[new].rests
        old = next(i for i, plan in enumerate(self.stage.props) if plan.kind == kind and plan.rests == rest)
        if old != new:
            self.stage.props.pop()
        return old

    def lay_out(self, name: str, track: Track) -> None:
        """Have the object of an action lie where the action begins, from the start of the scene on."""
        kind = BY_NAME[name].prop
        if name in ('chop', 'wipe table'):
            self._bring_table(track)
        if kind in self.props:
            return
        if name in ('chop', 'wipe table'):
            self.props[kind] = self._from_table(kind, track)
        elif name == 'kick ball':
            self.props[kind] = self._new_prop(kind, track, BALL_AHEAD_M)
        else:
            self.props[kind] = self._new_prop(kind, track, CART_AHEAD_M if kind == 'cart' else BOX_START_M)

    def use(self, kind: str, name: str, track: Track, start_s: float) -> int:
        """Return the object of an action that has just been done, and write down who held it."""
        if kind not in self.props:
            self.props[kind] = self._new_prop(kind, track, 0.0)
            self.stage.props[self.props[kind]].shown = (start_s, math.inf)
        plan = self.stage.props[self.props[kind]]
        if plan.holds and math.isinf(plan.holds[-1][1]) and name != 'put down':  # in hand until let go or thrown
            plan.holds[-1] = (plan.holds[-1][0], track.now_s if name == 'throw ball' else math.inf, track.person)
        elif plan.holds and plan.holds[-1][2] == track.person and self._still_held(plan, name, start_s):
            plan.holds[-1] = (plan.holds[-1][0], track.now_s, track.person)
        else:
            plan.holds.append((start_s, track.now_s, track.person))
        if kind in IN_POCKET:
            plan.shown = (plan.shown[0], track.now_s)
        if name in ('put down', 'push cart'):
            dx, dz = ahead(track.yaw, CART_AHEAD_M if kind == 'cart' else BOX_START_M)
            plan.rests.append((track.now_s, track.x_m + dx, 0.0, track.z_m + dz))
        if name == 'throw ball':
            plan.shown = (plan.shown[0], track.now_s + FLIGHT_S)  # it is out of sight by then
        if name == 'kick ball':
            _, x, y, z = plan.rests[-1]
            dx, dz = ahead(track.yaw, float(roll_m(ROLL_S)))
            plan.rests.append((track.now_s, x + dx, y, z + dz))
        return self.props[kind]

    @staticmethod
    def _still_held(plan: PropPlan, name: str, start_s: float) -> bool:
        """Return whether an object has been in the hand since the act before."""
        if name == 'lift' or plan.kind == 'cart':
            return False
        return plan.kind in IN_POCKET or start_s - plan.holds[-1][1] < LONGEST_PAUSE_S

    def let_go(self, end_s: float) -> None:
        """End what was held for as long as the activity goes on."""
        for index in self.props.values():
            plan = self.stage.props[index]
            if plan.holds and math.isinf(plan.holds[-1][1]):
                plan.holds[-1] = (plan.holds[-1][0], end_s, plan.holds[-1][2])
                plan.shown = (plan.shown[0], end_s)

    def bring_chair(self, track: Track) -> None:
        key = (track.person, 'chair')
        if key not in self.stage.places:
            self.stage.places[key] = (track.x_m, track.z_m, track.yaw)
            color = WOOD[int(self.rng.integers(len(WOOD)))]
            seat = Furniture('chair', track.x_m, track.z_m + 0.05, SEAT_WIDTH_M, SEAT_HEIGHT_M, color)
            self.stage.furniture.append(seat)

    def _bring_table(self, track: Track) -> None:
        key = (track.person, 'table')
        if key not in self.stage.places:
            self.stage.places[key] = (track.x_m, track.z_m, track.yaw)
            side = 1.0 if abs(shortest_turn(0.0, track.yaw)) < 0.25 else -1.0
            x = track.x_m + side * (TABLE_AHEAD_M - 0.1 + TABLE_WIDTH_M / 2)
            color = WOOD[int(self.rng.integers(len(WOOD)))]
            self.stage.furniture.append(Furniture('table', x, track.z_m + 0.1, TABLE_WIDTH_M, TABLE_HEIGHT_M, color))
