"""The director: from the seed of a film to its script."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ..numerics import generator
from ..options import SetOptions, activity_weights, premieres
from ..script import SCENES, Act, FilmScript, Furniture, PersonScript, PropScript, Shot
from .acting import Performance
from .activities import RECIPES, Recipe
from .blocking import Arena, Stage, Track
from .camera import choose_view, shoot
from .casting import cast
from .traffic import between, go_out, leave_and_return, stay_out, stranger

MAX_SUBJECTS = 3  # at any time (SEAL, Sec. 3.1)
MAX_SHOTS = 4
PACES = (1.0, 0.55, 0.25, 0.0)
SHORTEST_ACTIVITY_S = 4.2
AWAY_S = (4.0, 12.0)
LANES_M = ((3.6, 4.0), (4.4, 4.9), (5.3, 5.9))
HOMES_PX = {1: (-30.0,), 2: (-75.0, 75.0), 3: (-95.0, 0.0, 95.0)}
CLEAR_M = 0.7  # between a thing to vanish behind and the people of a group
PILLAR = ('pillar', 2.9, (120, 125, 130))
BUSH = ('bush', 1.75, (40, 105, 50))
SIGN = ('sign', 2.0, (60, 110, 170))
COVER = {'street': (SIGN, BUSH), 'park': (BUSH,), 'gym': (PILLAR,), 'kitchen': (PILLAR,), 'office': (PILLAR,)}
PILLARS_PX = {1: (85.0, -85.0), 2: (0.0,), 3: (-48.0, 48.0)}


@dataclass
class Group:
    """One or two people who act at one place.

    Args:
        people (list[int]): Indices into the people of the film.
        home_px (float): Their place, right of the middle of the picture.
        depth_m (float): Their distance.
        queue (list[Recipe]): What they must act first.
    """

    people: list[int]
    home_px: float
    depth_m: float
    queue: list[Recipe] = field(default_factory=list)


class Director:
    """Write the script of one film.

    Args:
        options (SetOptions): Options of the set.
        split (str): ``'train'``, ``'val'`` or ``'test'``.
        number (int): Number of the film in its split.
    """

    def __init__(self, options: SetOptions, split: str, number: int) -> None:
        self.options, self.split, self.number = options, split, number
        self.seed = options.film_seed(split, number)
        self.rng = generator(*self.seed)
        self.weights = activity_weights(options.zipf)
        self.scale = options.size[0] / 320

    def script(self) -> FilmScript:
        """Return the script."""
        rng, options = self.rng, self.options
        shortest, longest = options.seconds
        self.premieres = premieres(options, self.split, self.number)
        self.comes_back = self.number % 4 == 1
        seconds = shortest + (longest - shortest) * rng.random() * (0.5 + 0.5 * rng.random())
        if self.premieres or self.comes_back:
            seconds = max(seconds, min(longest, 32.0))
        fps = 30 if rng.random() < 0.5 else 25
        frames = int(seconds * fps)
        count = 2 + int(np.searchsorted((0.15, 0.45, 0.7, 0.9), rng.random()))
        looks = cast(rng, count, options.look_alike_of(self.number))
        spans = self._scene_spans(frames, fps)
        shots: list[Shot] = []
        stages = []
        for index, span in enumerate(spans):
            stage, scene_shots = self._scene(index, span, fps, count, len(spans) - index, MAX_SHOTS - len(shots))
            stages.append((span, stage))
            shots += scene_shots
        people = [PersonScript(look, *self._empty(frames)) for look in looks]
        props: list[PropScript] = []
        for span, stage in stages:
            self._enact(stage, span, fps, people, props, frames)
        for person in people:
            person.acts.sort(key=lambda act: (act.start_s, act.end_s, act.action))
            person.subject = bool(person.activities)
        name = f'{self.split}_{self.number:04d}'
        return FilmScript(name, int(rng.integers(1 << 31)), fps, frames, options.size, people, props, shots)

    # Scenes --------------------------------------------------------------------------------------------------------

    def _scene_spans(self, frames: int, fps: int) -> list[tuple[int, int]]:
        """Cut the film into scenes of at least nine seconds, fourteen where an activity must be shown."""
        shortest = (16 if self.premieres else 9) * fps
        most = min(3, frames // shortest)
        count = 1 if self.comes_back or most < 2 else 1 + int(self.rng.integers(most))
        spare = frames - count * shortest
        cuts = sorted(int(self.rng.random() * spare) for _ in range(count - 1))
        edges = [0, *(cut + (i + 1) * shortest for i, cut in enumerate(cuts)), frames]
        return list(pairwise(edges))

    def _scene(
        self, index: int, span: tuple[int, int], fps: int, count: int, scenes_left: int, shots_left: int
    ) -> tuple[Stage, list[Shot]]:
        rng, size = self.rng, self.options.size
        views = [choose_view(rng, size)]
        seconds = (span[1] - span[0]) / fps
        cuts = [span[0], span[1]]
        short_film = seconds < 10 and self.number % 3 == 2
        if shots_left > scenes_left and (short_film or (seconds > 12 and rng.random() < 0.3)):
            views.append(choose_view(rng, size, views[0]))
            cuts.insert(1, span[0] + int((span[1] - span[0]) * (0.35 + 0.3 * rng.random())))
        queue = [self.premieres.pop(0) for _ in range(-(-len(self.premieres) // scenes_left))]
        first = queue[0] if queue else self._draw(SCENES, 2 if count >= 2 else 1)
        queue = queue or [first]
        scene = first.scenes[int(rng.integers(len(first.scenes)))]
        arena = Arena(max(v.focal_px for v in views), size[0], max(v.pan_px for v in views))
        stage = Stage(span[0] / fps, span[1] / fps, arena, scene)
        groups, idle = self._groups(queue, scene, count)
        pillar = (index == 0 and self.number % 3 == 0) or rng.random() < 0.15
        self._furnish(stage, groups, pillar)
        for turn, group in enumerate(groups):
            stage = self._chain(stage, group, must_leave=self.comes_back and index == 0 and turn == 0)
        for person in idle:
            if rng.random() < 0.75:
                stranger(rng, stage, person)
        seed = int(rng.integers(1 << 31))
        shots = [
            shoot(rng, view, cut, scene, seed + i, stage.furniture, self.options.shake, self.scale)
            for i, (view, cut) in enumerate(zip(views, pairwise(cuts), strict=True))
        ]
        return stage, shots

    def _draw(self, scenes: tuple[str, ...], most_people: int, least_people: int = 1) -> Recipe:
        """Draw an activity by popularity; one that does not suit the scene is unlikely."""
        weights = [
            weight * (least_people <= recipe.people <= most_people) * (1.0 if set(scenes) & set(recipe.scenes) else 0.3)
            for recipe, weight in zip(RECIPES, self.weights.tolist(), strict=True)
        ]
        total = 0.0
        for weight in weights:
            total += weight
        left = self.rng.random() * total
        for recipe, weight in zip(RECIPES, weights, strict=True):
            left -= weight
            if left < 0 and weight:
                return recipe
        return next(recipe for recipe, weight in zip(RECIPES, weights, strict=True) if weight)

    def _groups(self, queue: list[Recipe], scene: str, count: int) -> tuple[list[Group], list[int]]:
        """Divide the people of a film into groups of subjects, three people at most, and strangers."""
        rng = self.rng
        people = [int(i) for i in rng.permutation(count)]
        sizes = [max(recipe.people for recipe in queue)]
        queues = [queue]
        for chance in (0.6, 0.4):
            free = min(MAX_SUBJECTS, count) - sum(sizes)
            if free > 0 and rng.random() < chance:
                recipe = self._draw((scene,), min(free, 2))
                sizes.append(recipe.people)
                queues.append([recipe])
        homes = [HOMES_PX[len(sizes)][int(i)] for i in rng.permutation(len(sizes))]
        if len(sizes) == 1:
            homes = [(rng.random() - 0.5) * 60]
        lanes = [LANES_M[int(i)] for i in rng.permutation(len(LANES_M))]
        groups = []
        for size, home, lane, todo in zip(sizes, homes, lanes, queues):
            depth = between(rng, lane)
            if size == 2 or any(r.name in ('basketball', 'football', 'workout run', 'shopping') for r in todo):
                depth = max(depth, 4.4)  # they need room
            groups.append(Group([people.pop() for _ in range(size)], home * self.scale, depth, todo))
        return groups, people

    def _furnish(self, stage: Stage, groups: list[Group], pillar: bool) -> None:
        if not pillar:
            return
        rng = self.rng
        places = PILLARS_PX[len(groups)]
        place_px = places[int(rng.integers(len(places)))] * self.scale
        # Before the farthest group, or before all, but not in the way of another one.
        lanes = [group.depth_m for group in groups]
        places_m = [min(max(lanes), 5.2) - 0.9, *(lane - CLEAR_M for lane in sorted(lanes, reverse=True))]
        depth = next(z for z in places_m if min(abs(z - lane) for lane in lanes) >= CLEAR_M - 1e-9)
        width = between(rng, (0.55, 0.95))
        kind, height, color = COVER[stage.scene][int(rng.integers(len(COVER[stage.scene])))]
        stage.furniture.append(Furniture(kind, stage.arena.x_m(place_px, depth), depth, width, height, color))

    # Subjects ------------------------------------------------------------------------------------------------------

    def _chain(self, stage: Stage, group: Group, must_leave: bool) -> Stage:
        """Let a group act one activity after the other until the scene ends."""
        rng = self.rng
        homes = {}
        for i, person in enumerate(group.people):
            homes[person] = group.home_px + (84.0 * i - 42.0 * (len(group.people) - 1)) * self.scale
            z = group.depth_m + 0.2 * i
            if rng.random() < 0.45:
                x, start_s = stage.arena.x_m(homes[person], z), stage.start_s
            else:
                x, start_s = (1 if rng.random() < 0.5 else -1) * stage.arena.outside_m(z), stage.start_s
            stage.tracks[person] = Track(person, start_s, x, z, 0.0 if x < 0 else 0.5)
            stage.tracks[person].now_s += rng.random() * 0.6
        done = 0
        while stage.end_s - self._latest(stage, group) > SHORTEST_ACTIVITY_S:
            left_s = stage.end_s - self._latest(stage, group)
            if done and not group.queue and left_s > AWAY_S[0] + 9.0 and (must_leave or rng.random() < 0.25):
                away_s = AWAY_S[0] + min(AWAY_S[1] - AWAY_S[0], left_s - AWAY_S[0] - 9.0) * rng.random()
                for person in group.people[: 1 if len(group.people) == 2 and rng.random() < 0.4 else None]:
                    leave_and_return(rng, stage, stage.tracks[person], away_s)
                must_leave = False
            recipe = group.queue.pop(0) if group.queue else self._draw((stage.scene,), len(group.people))
            after = self._perform(stage, group, recipe, homes)
            if after is None:
                break
            stage, done = after, done + 1
            for person in group.people:
                stage.tracks[person].now_s += 0.3 + rng.random()
        for person in group.people:
            track = stage.tracks[person]
            if stage.end_s - track.now_s > 2.0 and rng.random() < 0.6:
                go_out(rng, stage, track)
                stay_out(stage, track)
        return stage

    @staticmethod
    def _latest(stage: Stage, group: Group) -> float:
        return max(stage.tracks[person].now_s for person in group.people)

    def _perform(self, stage: Stage, group: Group, recipe: Recipe, homes: dict[int, float]) -> Stage | None:
        """Return the stage with an activity added, as slowly as the rest of the scene allows; None if it does not."""
        teams = [group.people] if recipe.people == 2 else [[person] for person in group.people]
        performed = False
        for team in teams:
            home = homes[team[0]] if recipe.people == 1 else group.home_px
            for pace in PACES:
                trial = copy.deepcopy(stage)
                if Performance(trial, self.rng, recipe, team, pace, home, group.depth_m).act():
                    stage, performed = trial, True
                    break
        return stage if performed else None

    # To arrays -----------------------------------------------------------------------------------------------------

    @staticmethod
    def _empty(frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        position = np.tile(np.array([0.0, 5.0]), (frames, 1))
        return position, np.zeros(frames), np.zeros(frames, bool), np.zeros(frames, bool)

    @staticmethod
    def _enact(
        stage: Stage, span: tuple[int, int], fps: int, people: list[PersonScript], props: list[PropScript], frames: int
    ) -> None:
        """Write a scene into the arrays of the film."""
        times_s, part = np.arange(*span) / fps, slice(*span)
        for index, track in stage.tracks.items():
            person = people[index]
            person.position_m[part], person.yaw[part], person.present[part], person.seated[part] = track.sample(times_s)
            for act in track.acts:
                if act.start_s < stage.end_s - 0.2:
                    prop = None if act.prop is None else act.prop + len(props)
                    end_s = min(act.end_s, stage.end_s)
                    person.acts.append(Act(act.action, act.start_s, end_s, act.partner, prop))
            person.activities += track.activities
        for plan in stage.props:
            rest, holder, present = np.zeros((frames, 3)), np.full(frames, -1, np.int16), np.zeros(frames, bool)
            rest[part], holder[part], present[part] = plan.sample(times_s)
            props.append(PropScript(plan.kind, plan.color, rest, holder, plan.grip, present))


def direct(options: SetOptions, split: str, number: int) -> FilmScript:
    """Return the script of a film.

    Args:
        options (SetOptions): Options of the set.
        split (str): ``'train'``, ``'val'`` or ``'test'``.
        number (int): Number of the film in its split.

    Examples:
        >>> script = direct(SetOptions(seed=3), 'val', 0)
        >>> script.name, script.size
        ('val_0000', (320, 240))
    """
    return Director(options, split, number).script()
