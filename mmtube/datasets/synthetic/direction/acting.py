"""How a recipe is acted: who goes where, how long each part takes, which object is in whose hand."""

from __future__ import annotations

import math

import numpy as np

from ..script import Act, Activity
from ..vocabulary import BY_NAME, PERSON
from .activities import Part, Recipe, draw_parts
from .blocking import RAMP_S, Stage, Track, ahead, shortest_turn, turns_of
from .handling import HELD_THROUGHOUT, TABLE_AHEAD_M, TABLE_WIDTH_M, Handling

GAPS_M = {'hug': 0.45}
GAP_M = 0.75  # between partners
SHORTEST_LEG_S = 0.9  # of going back and forth
SIDEWAYS = (0.0, 0.5)
TURNED = (0.0, 0.5, 0.95, 0.55, 0.875, 0.625)  # sideways, or three quarters towards the camera


class Performance:
    """Write one activity of one or two people onto the stage.

    Args:
        stage (Stage): It is changed.
        rng (np.random.Generator): Source of chance.
        recipe (Recipe): What to act.
        people (list[int]): As many as the recipe needs; they have a track on the stage.
        pace (float): 0 the shortest performance, 1 the natural spread of lengths.
        home_px (float): Where in the picture the group is at home, right of the middle.
        depth_m (float): Its distance from the camera.
    """

    def __init__(
        self,
        stage: Stage,
        rng: np.random.Generator,
        recipe: Recipe,
        people: list[int],
        pace: float,
        home_px: float,
        depth_m: float,
    ) -> None:
        self.stage, self.rng, self.recipe, self.people, self.pace = stage, rng, recipe, people, pace
        self.tracks = [stage.tracks[person] for person in people]
        self.parts = draw_parts(rng, recipe, pace)
        self.home_px, self.depth_m = home_px, depth_m
        self.handling = Handling(stage, rng)
        self.axis = SIDEWAYS[int(rng.integers(2))] + (rng.random() - 0.5) * 0.1  # from the first to the second

    def act(self) -> bool:
        """Go to the places and act.

        Returns:
            bool: Whether the scene is long enough; if not, the stage is not to be used.
        """
        self._go_to_places()
        start_s = self._together()
        if start_s + sum(part.seconds for part in self.parts) > self.stage.end_s:
            return False
        for track in self.tracks:
            track.activities.append(Activity(self.recipe.name, start_s, start_s))
        for index, part in enumerate(self.parts):
            if index:
                pause_s = self.rng.random() * 0.35 * self.pace
                for track in self.tracks:
                    track.now_s += pause_s
            self._play(part)
        end_s = self._together()
        for track in self.tracks:
            track.activities[-1] = Activity(self.recipe.name, start_s, end_s)
        self.handling.let_go(end_s)
        return end_s <= self.stage.end_s

    def _together(self) -> float:
        """Let those who are ready wait for the others; return the time."""
        now_s = max(track.now_s for track in self.tracks)
        for track in self.tracks:
            track.now_s = now_s
        return now_s

    # Going to the places -------------------------------------------------------------------------------------------

    def _go_to_places(self) -> None:
        began_s = self._together()
        places = [self._place_alone()] if len(self.tracks) == 1 else self._places_of_two()
        for track, (x, z, yaw) in zip(self.tracks, places, strict=True):
            dx, dz = x - track.x_m, z - track.z_m
            distance = math.sqrt(dx * dx + dz * dz)
            if distance > 0.25:
                hurry = self.pace < 0.5 or (distance > 2.5 and self.rng.random() < 0.3)
                name, speed = ('run', 2.8 + self.rng.random()) if hurry else ('walk', 1.1 + 0.4 * self.rng.random())
                self._walk_unlabelled(track, name, x, z, speed)
            else:
                track.shift(dx, dz, 0.3)
            track.turn_to(yaw, 0.35)
            track.now_s += 0.4
        names = {name for part in self.parts for name in part.step.acts}
        brought = {BY_NAME[name].prop for name in names} & set(HELD_THROUGHOUT)
        for kind in sorted(brought | ({'ball'} if 'bounce ball' in names else set())):
            self.handling.bring(kind, self.tracks[0], began_s)

    @staticmethod
    def _walk_unlabelled(track: Track, name: str, x: float, z: float, speed: float) -> None:
        start_s = track.now_s
        track.travel(x, z, track.travel_s(x, z, speed))
        track.acts.append(Act(name, start_s, track.now_s))

    def _place_alone(self) -> tuple[float, float, float]:
        """Return where an activity of one person begins, and the yaw there."""
        rng, arena, names = self.rng, self.stage.arena, [part.step.acts[0] for part in self.parts]
        z = self.depth_m + (rng.random() - 0.5) * 0.3
        needs = 'table' if {'chop', 'wipe table'} & set(names) else 'chair' if 'sit down' in names else ''
        known = self.stage.places.get((self.people[0], needs))
        if known:
            return known
        x = arena.x_m(self.home_px + (rng.random() - 0.5) * 60 * arena.width_px / 320, z)
        if names[0] in ('push cart', 'run', 'walk'):  # there must be room ahead
            side = -1.0 if x < self.tracks[0].x_m or rng.random() < 0.3 else 1.0
            return side * arena.limit_m(z, 36.0), z, 0.5 if side > 0 else 0.0
        turned = SIDEWAYS if needs == 'table' or 'bounce ball' in names else TURNED
        yaw = turned[int(rng.integers(len(turned)))]
        if needs == 'table':
            limit = max(arena.limit_m(z) - TABLE_AHEAD_M - TABLE_WIDTH_M, 0.2)
            x = min(x, limit) if yaw == 0 else max(x, -limit)
            toward = TABLE_WIDTH_M / 2 if yaw == 0 else -TABLE_WIDTH_M / 2
            return self.stage.free_x(x + toward, z, 0.3 + TABLE_WIDTH_M / 2) - toward, z, yaw
        x = self.stage.free_x(x, z)
        return x, z, yaw + (rng.random() - 0.5) * 0.04

    def _places_of_two(self) -> list[tuple[float, float, float]]:
        """Return where an activity of two begins, and the yaws there."""
        arena, z = self.stage.arena, self.depth_m
        paths = {part.step.path: part for part in self.parts}
        if 'along' in paths:
            part = paths['along']
            side = 1.0 if shortest_turn(0.25, self.axis) < 0 else -1.0  # the way they go
            room = 2 * arena.limit_m(z, 40.0) - 0.5
            for each in self.parts:
                if each.step.path == 'along':
                    each.seconds = max(min(each.seconds, room / each.speed_mps), BY_NAME['lead by hand'].seconds[0])
            x = -side * min(room / 2, part.seconds * part.speed_mps / 2)
            yaw = 0.0 if side > 0 else 0.5
            self.axis = (yaw + 0.5) % 1.0
            return [(x + side * 0.22, z - 0.16, yaw), (x - side * 0.22, z + 0.16, yaw)]
        first = next(name for part in self.parts for name in part.step.acts if self._of_two(name))
        apart = [GAPS_M.get(first, GAP_M) / 2] * 2
        if 'meet' in paths:
            part = paths['meet']
            alone = part.step.who == 'first'
            way = part.speed_mps * (part.seconds - RAMP_S)
            way = min(way, 2 * arena.limit_m(z, 34.0) - 2 * apart[0] if alone else arena.limit_m(z, 34.0) - apart[0])
            apart[0] += way
            apart[1] += 0.0 if alone else way
        side = 1.0 if abs(shortest_turn(0.0, self.axis)) < 0.25 else -1.0  # of the second
        edge = arena.limit_m(z, 34.0)
        # Where they touch: as near to home as their ways allow.
        left, right = apart if side > 0 else apart[::-1]
        middle = min(max(arena.x_m(self.home_px, z), left - edge), max(edge - right, left - edge))
        middle = self.stage.free_x(middle, z, GAP_M / 2 + 0.25)
        least = GAP_M / 2 + 0.8
        apart = [min(way, max(edge + sign * side * middle, least)) for way, sign in zip(apart, (1, -1), strict=True)]
        (ax, az), (bx, bz) = ahead(self.axis, -apart[0]), ahead(self.axis, apart[1])
        return [(middle + ax, z + az, self.axis), (middle + bx, z + bz, (self.axis + 0.5) % 1.0)]

    @staticmethod
    def _of_two(name: str) -> bool:
        return BY_NAME[name].group == PERSON or name == 'hand over'

    # Acting --------------------------------------------------------------------------------------------------------

    def _play(self, part: Part) -> None:
        who = part.step.who
        first = part.step.acts[0]
        if who == 'turns':
            order = [0, 1] if self.rng.random() < 0.5 else [1, 0]
            for i in order:
                self._together()
                self._hit(part, self.tracks[i], self.tracks[1 - i])
            return
        actors = {'both': self.tracks, 'first': self.tracks[:1], 'second': self.tracks[1:]}[who]
        if who != 'both' or self._of_two(first) or part.step.path == 'meet':
            self._together()
        if self._of_two(first):
            self._meet_hands(part, first)
        elif part.step.path == 'along':
            self._go_along(part)
        elif part.step.path == 'meet':
            self._meet(part, actors)
        else:
            for track in actors:
                self._play_alone(part, track)
        if who != 'both':
            self._together()

    def _note(self, track: Track, names: tuple[str, ...], start_s: float, partner: int | None = None) -> None:
        """Write down what a track has just done, and with which object."""
        for name in names:
            kind, prop = BY_NAME[name].prop, None
            if kind:
                prop = self.handling.use(kind, name, track, start_s)
            with_whom = partner if self._of_two(name) else None
            track.acts.append(Act(name, start_s, track.now_s, with_whom, prop))

    def _play_alone(self, part: Part, track: Track) -> None:
        name = part.step.acts[0]
        if name in ('throw ball', 'kick ball') and self._facing(track) * track.x_m > 0:
            track.turn_to(track.yaw + 0.5, 0.35)  # the ball is to be seen as it goes
            track.now_s += 0.4
        start_s = track.now_s
        if name in ('lift', 'kick ball', 'push cart', 'chop', 'wipe table'):
            self.handling.lay_out(name, track)
        if name in ('walk', 'run', 'push cart'):
            if part.step.path == 'away':
                self._go_away(track, part)
            else:
                self._push(track, part) if name == 'push cart' else self._roam(track, part)
        elif name == 'turn around':
            track.turn_to(0.0, part.seconds, by=0.5 if self.rng.random() < 0.5 else -0.5)
            track.now_s += part.seconds
        else:
            if name == 'sit down':
                self.handling.bring_chair(track)
                track.seats.append((start_s + part.seconds, math.inf))
            elif name == 'stand up':
                track.seats[-1] = (track.seats[-1][0], start_s)
            track.now_s += part.seconds
        self._note(track, part.step.acts, start_s)

    @staticmethod
    def _facing(track: Track) -> float:
        """Return 1 for whoever looks to the right, else -1."""
        return 1.0 if abs(shortest_turn(0.0, track.yaw)) <= 0.25 else -1.0

    @staticmethod
    def _least_s(part: Part) -> float:
        return max(BY_NAME[name].seconds[0] for name in part.step.acts)

    def _travel_at_pace(self, track: Track, part: Part, x_m: float, z_m: float, least_s: float) -> None:
        """Go to a place at the pace of a part, slower only where the way is too short for it."""
        track.travel(x_m, z_m, max(track.travel_s(x_m, z_m, part.speed_mps), least_s))

    def _roam(self, track: Track, part: Part) -> None:
        """Go back and forth for about as long as the part takes."""
        arena, speed, began_s = self.stage.arena, part.speed_mps, track.now_s
        end_s, least_s = began_s + part.seconds, self._least_s(part)
        facing = self._facing(track)
        while end_s - track.now_s > SHORTEST_LEG_S or track.now_s - began_s < least_s - 1e-6:
            limit = arena.limit_m(track.z_m, 40.0)
            room = limit - facing * track.x_m
            if room < min(max(SHORTEST_LEG_S, least_s) * speed, limit):
                facing, room = -facing, limit + facing * track.x_m
            z = min(max(track.z_m + (self.rng.random() - 0.5) * 0.3, self.depth_m - 0.3), self.depth_m + 0.3)
            way = room if self.rng.random() < 0.5 else room * (0.5 + 0.5 * self.rng.random())
            left_s = end_s - track.now_s
            if track.travel_s(track.x_m + facing * way, z, speed) > left_s - SHORTEST_LEG_S:  # the last one
                lag_s = track.lag_s(turns_of(facing * way, z - track.z_m))
                way = min(speed * max(left_s - lag_s - RAMP_S, 0.25), room)
                aims_at = [self.stage.free_x(track.x_m + facing * way * share, z) for share in (1.0, 0.6, 0.3)]
                ways = [facing * (x - track.x_m) for x in aims_at]
                open_s = max(least_s - (track.now_s - began_s), SHORTEST_LEG_S)
                enough = 0.9 * speed * (open_s - lag_s - RAMP_S)
                way = next((each for each in ways if enough < each <= 1.1 * way), way)
                self._travel_at_pace(track, part, track.x_m + facing * way, z, least_s - (track.now_s - began_s))
                return
            self._travel_at_pace(track, part, track.x_m + facing * way, z, 0.0)
            facing = -facing

    def _push(self, track: Track, part: Part) -> None:
        """Go straight on, and leave room for the times to come: a cart does not turn on the spot."""
        times = sum(each.step.acts == part.step.acts for each in self.parts[self.parts.index(part) :])
        facing = self._facing(track)
        room = max(self.stage.arena.limit_m(track.z_m, 75.0) - facing * track.x_m, 0.3) / times
        way = min(part.speed_mps * (part.seconds - RAMP_S), room)
        self._travel_at_pace(track, part, track.x_m + facing * way, track.z_m, self._least_s(part))

    def _go_away(self, track: Track, part: Part) -> None:
        facing = self._facing(track)  # towards the partner
        room = self.stage.arena.limit_m(track.z_m, 10.0) + facing * track.x_m
        way = min(part.speed_mps * max(part.seconds - RAMP_S - 0.2, 0.2), max(room, 0.8))
        self._travel_at_pace(track, part, track.x_m - facing * way, track.z_m, self._least_s(part))

    def _meet(self, part: Part, actors: list[Track]) -> None:
        a, b = self.tracks
        dx, dz = b.x_m - a.x_m, b.z_m - a.z_m
        distance = math.sqrt(dx * dx + dz * dz)
        following = self.parts[self.parts.index(part) + 1 :]
        gap = next((GAPS_M.get(p.step.acts[0], GAP_M) for p in following if self._of_two(p.step.acts[0])), GAP_M)
        share = max(distance - gap, 0.0) / distance / len(actors)
        for track in actors:
            sign = 1.0 if track is a else -1.0
            start_s = track.now_s
            x, z = track.x_m + sign * dx * share, track.z_m + sign * dz * share
            self._travel_at_pace(track, part, x, z, self._least_s(part))
            self._note(track, part.step.acts, start_s)

    def _go_along(self, part: Part) -> None:
        self._together()
        facing = self._facing(self.tracks[0])
        limit = self.stage.arena.limit_m(self.depth_m, 30.0)
        room = min(limit - facing * track.x_m for track in self.tracks)
        way = min(part.speed_mps * (part.seconds - RAMP_S), max(room, 0.6))
        start_s = self.tracks[0].now_s
        for track, partner in zip(self.tracks, self.people[::-1], strict=True):
            self._travel_at_pace(track, part, track.x_m + facing * way, track.z_m, self._least_s(part))
            self._note(track, part.step.acts, start_s, partner)

    def _meet_hands(self, part: Part, name: str) -> None:
        """Both do an action with the other; a step closer or back belongs to it."""
        a, b = self.tracks
        dx, dz = b.x_m - a.x_m, b.z_m - a.z_m
        distance = math.sqrt(dx * dx + dz * dz)
        share = (distance - GAPS_M.get(name, GAP_M)) / distance / 2
        if abs(share) * distance > 0.02:
            a.shift(dx * share, dz * share, 0.35)
            b.shift(-dx * share, -dz * share, 0.35)
        start_s = a.now_s
        for track in self.tracks:
            track.now_s += part.seconds
        if name == 'hand over':
            self.handling.hand_over('box', start_s + part.seconds / 2, self.people[1])
        for track, partner in zip(self.tracks, self.people[::-1], strict=True):
            track.acts.append(Act(name, start_s, track.now_s, partner, self.handling.props.get(BY_NAME[name].prop)))

    def _hit(self, part: Part, actor: Track, victim: Track) -> None:
        name, start_s = part.step.acts[0], actor.now_s
        if name == 'push person':  # one gives way, the other follows
            dx, dz = victim.x_m - actor.x_m, victim.z_m - actor.z_m
            distance = math.sqrt(dx * dx + dz * dz)
            step = 0.25 / distance
            victim.shift(dx * step, dz * step, 0.4, part.seconds * 0.45)
            actor.shift(dx * step, dz * step, part.seconds * 0.4, part.seconds * 0.6)
        actor.now_s += part.seconds
        victim.now_s = actor.now_s
        self._note(actor, part.step.acts, start_s, victim.person)
