"""Where the objects are, and the hands that go to them.

Large objects (box, cart) have a path of their own and the hands go to them; small ones follow a hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..script import Act, FilmScript, PropScript
from .gait import ramp
from .geometry import length, mix, unit
from .motion_tools import BLEND_S, BOUNCE_HZ, GRASP, RELEASE, cycles, keys
from .motions import STRIKE
from .posing import Reach, act_times, manner
from .skeleton import Skeleton, Stand

BOX_M, BALL_M = (0.34, 0.44, 0.32), 0.12  # depth, width, height; radius
BROOM_M, BROOM_AHEAD_M = 1.45, 0.90  # length of the stick, and how far ahead of the upper hand it sweeps
BOX_START_M, CART_AHEAD_M, HANDLE_AHEAD_M, HANDLE_UP_M = 0.42, 0.80, 0.42, 0.95
NEAR_M = 1.3  # a box at rest further away than this is not the one that is lifted here
BALL_MPS = {'throw ball': 7.0, 'kick ball': 5.5}
ROLL_S, FLIGHT_S = 3.0, 1.5  # a kicked ball rolls so long; a thrown one is gone so long after the act
GRAVITY = 9.81


@dataclass(eq=False)
class PropPath:
    """Where an object is in every frame.

    Args:
        kind (str): One of :data:`~..script.PROP_KINDS`.
        base_m (np.ndarray): (T, 3) its centre; of a cart and a broom the point on the ground.
        fwd (np.ndarray): (T, 3) unit vector away from the holder.
        up (np.ndarray): (T, 3) unit vector along the object.
        holder (np.ndarray): (T,) int, -1 for nobody.
        present (np.ndarray): (T,) bool.
        sort_m (np.ndarray): (T,) Z by which it is sorted among people; the arm that holds it is a little further.
    """

    kind: str
    base_m: np.ndarray
    fwd: np.ndarray
    up: np.ndarray
    holder: np.ndarray
    present: np.ndarray
    sort_m: np.ndarray


Acts = list[tuple[int, Act]]


def roll_m(rolled_s: np.ndarray | float) -> np.ndarray:
    """Return how far a ball has rolled, slower and slower, some time after a kick."""
    rolled_s = np.clip(rolled_s, 0.0, ROLL_S)
    return BALL_MPS['kick ball'] * rolled_s * (1.0 - rolled_s / (2 * ROLL_S))


def acts_with(script: FilmScript, prop: int) -> Acts:
    """Return the acts that use an object with who does them."""
    return [(p, act) for p, who in enumerate(script.people) for act in who.acts if act.prop == prop]


def _spread(holder: np.ndarray, arrays: list[np.ndarray]) -> np.ndarray:
    """Take for each frame the row of its holder, or of the one who held last, or will hold first."""
    held = holder >= 0
    index = np.arange(len(holder))
    last = np.maximum.accumulate(np.where(held, index, -1))
    first = int(np.argmax(held)) if held.any() else 0
    who = np.maximum(holder[np.where(last >= 0, last, first)], 0)
    when = np.where(held, index, np.where(last >= 0, last, first))
    return np.stack(arrays)[who, when]


def box_hold(stand: Stand, skeleton: Skeleton) -> np.ndarray:
    """Return where the centre of a box is that a person carries: before the belly."""
    return mix(skeleton['pelvis'], skeleton['chest'], 0.42) + stand.fwd * 0.36


def _rest_of(script: FilmScript, prop: int, frame: int, stand: Stand) -> np.ndarray:
    """Return the (3,) rest of an object at a frame if that is in reach, else a place before the feet."""
    rest = script.props[prop].rest_m[min(max(frame, 0), script.num_frames - 1)]
    before = stand.ground_m[min(max(frame, 0), script.num_frames - 1)]
    way = rest - before
    if np.isfinite(rest).all() and way[0] * way[0] + way[2] * way[2] < NEAR_M * NEAR_M:
        return rest
    return before + stand.fwd[min(max(frame, 0), script.num_frames - 1)] * BOX_START_M


def place_box(
    script: FilmScript, prop: int, stands: list[Stand], skeletons: list[Skeleton]
) -> tuple[PropPath, list[tuple[int, Reach]]]:
    """Follow a box that is lifted, carried, handed over and put down.

    Args:
        script (FilmScript): The film.
        prop (int): Index of the box.
        stands (list[Stand]): Places of all people.
        skeletons (list[Skeleton]): Joints of all people, before the hands go to the box.

    Returns:
        tuple[PropPath, list[tuple[int, Reach]]]: The path, and who reaches for it.
    """
    what = script.props[prop]
    half_m = np.array([0.0, BOX_M[2] / 2, 0.0])
    holder = what.holder.astype(np.int64)
    centre = np.nan_to_num(what.rest_m) + half_m
    grip = np.zeros((len(stands), script.num_frames))
    holds = [box_hold(stand, skeleton) for stand, skeleton in zip(stands, skeletons, strict=True)]
    for person, hold in enumerate(holds):
        mine = holder == person
        centre[mine] = hold[mine]
        grip[person, mine] = 1.0
    for person, act in acts_with(script, prop):
        frames, t, length_s = act_times(act, script)
        if frames.start >= frames.stop:
            continue
        part, hold = t / length_s, holds[person][frames]
        if act.action == 'lift':
            start = _rest_of(script, prop, frames.start - 1, stands[person]) + half_m
            centre[frames] = mix(np.broadcast_to(start, hold.shape), hold, keys(part, (GRASP, 0.92), (0.0, 1.0)))
            grip[person, frames] = keys(part, (0.04, GRASP - 0.04), (0.0, 1.0))
        elif act.action == 'put down':
            end = _rest_of(script, prop, frames.stop, stands[person]) + half_m
            centre[frames] = mix(np.broadcast_to(end, hold.shape), hold, keys(part, (0.08, 1 - GRASP), (1.0, 0.0)))
            grip[person, frames] = keys(part, (1 - GRASP + 0.04, 0.96), (1.0, 0.0))
        elif act.action == 'hand over' and act.partner is not None and holder[frames.start] != act.partner:
            taken = holds[act.partner][frames]
            centre[frames] = mix(hold, taken, keys(part, (0.34, 0.66), (0.0, 1.0)))
            grip[person, frames] = keys(part, (0.54, 0.80), (1.0, 0.0))
            grip[act.partner, frames] = keys(part, (0.18, 0.44), (0.0, 1.0))
    fwd = _spread(holder, [stand.fwd for stand in stands])
    reaches = []
    for person, stand in enumerate(stands):
        if grip[person].any():
            # The palms are on the sides, a little towards the holder.
            for side, sign in (('l', 1.0), ('r', -1.0)):
                target = centre + stand.left * (sign * BOX_M[1] / 2) - stand.fwd * 0.04
                reaches.append((person, Reach(side, target, grip[person])))
    up = np.zeros_like(fwd)
    up[:, 1] = 1.0
    return PropPath('box', centre, fwd, up, holder, what.present, centre[:, 2]), reaches


def place_cart(script: FilmScript, prop: int, stands: list[Stand]) -> tuple[PropPath, list[tuple[int, Reach]]]:
    """Follow a cart that rolls before its holder; see :func:`place_box`."""
    what = script.props[prop]
    holder = what.holder.astype(np.int64)
    base = np.nan_to_num(what.rest_m)
    reaches = []
    for person, stand in enumerate(stands):
        mine = holder == person
        if not mine.any():
            continue
        weight = ramp(mine, BLEND_S * script.fps)
        rest = base[_nearest_free(mine)]
        base = np.where(mine[:, None], mix(rest, stand.ground_m + stand.fwd * CART_AHEAD_M, weight), base)
        for side, left_m in (('l', 0.19), ('r', -0.19)):
            reaches.append((person, Reach(side, stand.point(HANDLE_AHEAD_M, left_m, HANDLE_UP_M), weight)))
    fwd = _spread(holder, [stand.fwd for stand in stands])
    up = np.zeros_like(fwd)
    up[:, 1] = 1.0
    return PropPath('cart', base, fwd, up, holder, what.present, base[:, 2]), reaches


def _nearest_free(mine: np.ndarray) -> np.ndarray:
    """Return for each frame the nearest one outside a mask, before or after; the frame itself if there is none."""
    index, far = np.arange(len(mine)), 4 * len(mine)
    before = np.maximum.accumulate(np.where(mine, -far, index))
    after = np.minimum.accumulate(np.where(mine, far, index)[::-1])[::-1]
    nearest = np.where(index - before <= after - index, before, after)
    return np.where((nearest < 0) | (nearest >= len(mine)), index, nearest)


def _ball(script: FilmScript, prop: int, stands: list[Stand], skeletons: list[Skeleton], base: np.ndarray) -> None:
    """Move a ball as the acts say, in place."""
    for person, act in acts_with(script, prop):
        frames, t, length_s = act_times(act, script)
        if frames.start >= frames.stop:
            continue
        stand = stands[person].part(frames)
        hand = skeletons[person]['l_hand' if script.props[prop].grip == 'left' else 'r_hand'][frames]
        if act.action == 'bounce ball':
            # Fast at the ground, slow under the hand.
            tempo = manner(script, person)[0]
            high = np.abs(2.0 * cycles(t * tempo, length_s * tempo, 1.0 / BOUNCE_HZ) - 1.0)
            spot = hand + stand.fwd * 0.05
            spot[:, 1] = BALL_M + (hand[:, 1] - 2.1 * BALL_M) * high * (2.0 - high)
            base[frames] = spot
        elif act.action in BALL_MPS:
            # It goes on when the act is over.
            thrown = act.action == 'throw ball'
            further = int((FLIGHT_S if thrown else ROLL_S) * script.fps)
            frames = slice(frames.start, min(frames.stop + further, script.num_frames))
            stand = stands[person].part(frames)
            hand = skeletons[person]['l_hand' if script.props[prop].grip == 'left' else 'r_hand'][frames]
            after_s = np.arange(frames.start, frames.stop) / script.fps - act.start_s
            after_s = after_s - (RELEASE if thrown else STRIKE) * length_s
            away = after_s > 0
            at = int(np.argmax(away)) if away.any() else len(after_s) - 1
            if thrown:
                start, flown_s = hand[at], np.maximum(after_s, 0.0)[:, None]
                path = start + stand.fwd[at] * (BALL_MPS[act.action] * flown_s)
                path[:, 1] = np.maximum(
                    start[1] + 2.2 * flown_s[:, 0] - GRAVITY / 2 * flown_s[:, 0] * flown_s[:, 0], BALL_M
                )
                base[frames] = np.where(away[:, None], path, hand)
            else:
                start = _rest_of(script, prop, frames.start - 1, stands[person])
                rolled_s = np.maximum(after_s, 0.0)
                path = start + stand.fwd[at] * roll_m(rolled_s)[:, None]
                path[:, 1] = BALL_M + 0.25 * np.maximum(rolled_s * (0.5 - rolled_s), 0.0) * 4.0
                base[frames] = path


def place_small(script: FilmScript, prop: int, stands: list[Stand], skeletons: list[Skeleton]) -> PropPath:
    """Follow an object that a hand holds; see :func:`place_box`. The arms of the skeletons must be in place."""
    what: PropScript = script.props[prop]
    holder = what.holder.astype(np.int64)
    fwd = _spread(holder, [stand.fwd for stand in stands])
    up = np.zeros_like(fwd)
    up[:, 1] = 1.0
    base = np.nan_to_num(what.rest_m).copy()
    base[:, 1] += BALL_M if what.kind == 'ball' else 0.06
    if what.kind == 'broom':
        base[:, 1] -= 0.04
    side = 'l' if what.grip == 'left' else 'r'
    for person in np.unique(holder[holder >= 0]):
        stand, body, mine = stands[person], skeletons[person], (holder == person)[:, None]
        hand = body[f'{side}_hand']
        if what.kind == 'broom':
            # While sweeping the stick goes through both hands, else it stands beside the foot. It comes later
            # than the hands, which are nowhere near their places at first.
            sweeping = _acting(script, prop, int(person), 'sweep', 2 * BLEND_S)
            down = body['l_hand'] - body['r_hand']
            slope = down / np.maximum(-down[:, 1], 0.1)[:, None] * hand[:, 1:2]
            slope[:, 1] = 0.0
            slope = slope * np.minimum(1.0, BROOM_AHEAD_M / np.maximum(length(slope), 1e-6))[:, None]
            ground = hand + mix(stand.fwd * 0.06, slope, sweeping)
            ground[:, 1] = 0.02
            base = np.where(mine, ground, base)
            up = np.where(mine, unit(mix(hand + stand.fwd * 0.06, hand, sweeping) - ground), up)
        elif what.kind == 'book':
            reading = _acting(script, prop, int(person), 'read')
            middle = mix(body['l_hand'], body['r_hand'], 0.5) + stand.fwd * 0.02
            middle[:, 1] += 0.03
            base = np.where(mine, mix(hand, middle, reading), base)
            tilted = unit(mix(stand.fwd, body['head'] - middle, 0.35 * reading))
            up = np.where(mine, unit(mix(up, tilted, 0.55 * reading)), up)
        else:
            along = unit(hand - body[f'{side}_elbow'])
            held = hand + along * 0.02
            if what.kind in ('cloth', 'knife'):  # they lie on a table before and after
                held = mix(base[_nearest_free(mine[:, 0])], held, ramp(mine[:, 0], BLEND_S * script.fps))
            if what.kind in ('cup', 'phone'):
                up = np.where(mine, unit(mix(up, along, 0.5)), up)
            if what.kind == 'ball':
                held = hand + along * (0.8 * BALL_M)
            base = np.where(mine, held, base)
    if what.kind == 'ball':
        _ball(script, prop, stands, skeletons, base)
    sort = base[:, 2].copy()
    for person in np.unique(holder[holder >= 0]):
        body = skeletons[person]
        sides = ('l', 'r') if what.grip == 'both' else (side,)
        near = np.minimum.reduce([mix(body[f'{s}_elbow'], body[f'{s}_hand'], 0.5)[:, 2] for s in sides])
        close = length(base - body[f'{side}_hand']) < 0.4
        sort = np.where((holder == person) & close, np.minimum(near, sort) - 0.01, sort)
    return PropPath(what.kind, base, fwd, up, holder, what.present, sort)


def _acting(script: FilmScript, prop: int, person: int, action: str, blend_s: float = BLEND_S) -> np.ndarray:
    """Return how far a person is in an action with an object, (T,) from 0 to 1."""
    mask = np.zeros(script.num_frames, bool)
    for who, act in acts_with(script, prop):
        if who == person and act.action == action:
            mask[act_times(act, script)[0]] = True
    return ramp(mask, blend_s * script.fps)
