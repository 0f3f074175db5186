"""The complex activities of SEAL-mini: which atomic actions they are made of, in which order, by whom and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..vocabulary import BY_NAME

MEETING_S = 2.2  # an approach longer than this would not fit the picture


@dataclass(frozen=True)
class Step:
    """One part of an activity.

    Args:
        acts (tuple[str, ...]): Atomic actions that go together; the first moves the body, the others only the arms.
        times (tuple[int, int]): Fewest and most repeats. Defaults to (1, 1).
        who (str): In an activity of two, ``'both'`` act at the same time, ``'turns'`` one after the other, ``'first'``
            or ``'second'`` alone. Defaults to ``'both'``.
        path (str): Where a step that moves leads: ``'roam'`` about, ``'meet'`` the partner, ``'away'`` from the
            partner, ``'along'`` side by side with the partner. Defaults to ``'roam'``.
        chance (float): Probability that the step takes place. Defaults to 1.
    """

    acts: tuple[str, ...]
    times: tuple[int, int] = (1, 1)
    who: str = 'both'
    path: str = 'roam'
    chance: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """A complex activity.

    Args:
        name (str): Class name.
        steps (tuple[Step, ...]): In their order, which is what tells some activities apart.
        scenes (tuple[str, ...]): Where it is likely to happen.
        people (int): 1 or 2. Defaults to 1.
        rounds (tuple[int, int]): Fewest and most repeats of all steps. Defaults to (1, 1).
    """

    name: str
    steps: tuple[Step, ...]
    scenes: tuple[str, ...]
    people: int = 1
    rounds: tuple[int, int] = (1, 1)


# In the order of popularity, which the long tail of the set follows. Three pairs consist of the same actions in
# opposite order: warm up / cool down, greeting / farewell, preparing food / cleaning the kitchen.
RECIPES = (
    Recipe(
        'warm up',
        (Step(('stretch',), (1, 2)), Step(('squat',), (1, 2)), Step(('jump',), (1, 2))),
        ('gym', 'park'),
    ),
    Recipe(
        'dance',
        (
            Step(('twist waist',)),
            Step(('raise arms',)),
            Step(('turn around',)),
            Step(('wave hand',), chance=0.5),
            Step(('clap',)),
        ),
        ('gym', 'street'),
        rounds=(1, 2),
    ),
    Recipe(
        'greeting',
        (Step(('walk',), path='meet'), Step(('wave hand',)), Step(('shake hands',))),
        ('street', 'office'),
        people=2,
    ),
    Recipe(
        'basketball',
        (
            Step(('walk', 'bounce ball')),
            Step(('run', 'bounce ball'), chance=0.7),
            Step(('bounce ball',), chance=0.4),
            Step(('throw ball',)),
        ),
        ('gym', 'park'),
    ),
    Recipe(
        'moving boxes',
        (Step(('lift',)), Step(('walk', 'carry')), Step(('put down',))),
        ('office', 'street'),
        rounds=(1, 2),
    ),
    Recipe(
        'cool down',
        (Step(('jump',), (1, 2)), Step(('squat',), (1, 2)), Step(('stretch',), (1, 2))),
        ('gym', 'park'),
    ),
    Recipe(
        'preparing food',
        (Step(('wipe table',)), Step(('chop',), (1, 2)), Step(('drink',))),
        ('kitchen',),
    ),
    Recipe(
        'fight',
        (Step(('hit person',), who='turns'), Step(('push person',), who='turns')),
        ('street', 'gym'),
        people=2,
        rounds=(1, 2),
    ),
    Recipe(
        'phone break',
        (Step(('sit down',)), Step(('phone call',)), Step(('stand up',)), Step(('walk', 'phone call'), chance=0.3)),
        ('office', 'street'),
    ),
    Recipe(
        'workout run',
        (Step(('run',)), Step(('jump',)), Step(('walk', 'clap'), chance=0.5), Step(('clap',))),
        ('park', 'gym', 'street'),
        rounds=(1, 2),
    ),
    Recipe(
        'farewell',
        (Step(('shake hands',)), Step(('wave hand',)), Step(('walk',), path='away')),
        ('street', 'office'),
        people=2,
    ),
    Recipe(
        'football',
        (Step(('run',)), Step(('kick ball',)), Step(('run', 'raise arms'))),
        ('park', 'street'),
    ),
    Recipe(
        'cleaning the kitchen',
        (Step(('drink',)), Step(('chop',), (1, 2)), Step(('wipe table',))),
        ('kitchen',),
    ),
    Recipe(
        'reading',
        (Step(('sit down',)), Step(('read',), (1, 2)), Step(('stand up',))),
        ('office', 'park'),
    ),
    Recipe(
        'delivery',
        (
            Step(('lift',), who='first'),
            Step(('walk', 'carry'), who='first', path='meet'),
            Step(('hand over',)),
            Step(('put down',), who='second'),
        ),
        ('street', 'office'),
        people=2,
    ),
    Recipe(
        'karate form',
        (Step(('bow',)), Step(('punch',), (1, 2)), Step(('kick',), (1, 2)), Step(('bow',))),
        ('gym', 'park'),
    ),
    Recipe(
        'sweeping',
        (Step(('sweep',)), Step(('walk',)), Step(('sweep',))),
        ('kitchen', 'street'),
    ),
    Recipe(
        'coffee break',
        (Step(('sit down',)), Step(('drink',), (1, 2)), Step(('stand up',)), Step(('walk', 'drink'), chance=0.3)),
        ('office', 'kitchen'),
    ),
    Recipe(
        'reunion',
        (Step(('run',), path='meet'), Step(('hug',)), Step(('high five',), (1, 2))),
        ('street', 'park'),
        people=2,
    ),
    Recipe(
        'shopping',
        (
            Step(('push cart',)),
            Step(('turn around',)),
            Step(('lift',)),
            Step(('put down',)),
            Step(('turn around',)),
            Step(('push cart',)),
        ),
        ('street',),
    ),
    Recipe(
        'guided walk',
        (
            Step(('walk', 'lead by hand'), path='along'),
            Step(('turn around',)),
            Step(('walk', 'lead by hand'), path='along'),
        ),
        ('park', 'street'),
        people=2,
    ),
)
RECIPE_BY_NAME = {recipe.name: recipe for recipe in RECIPES}
# The class list; the index is the label.
COMPLEX_NAMES = tuple(sorted(RECIPE_BY_NAME))
ORDER_PAIRS = (('warm up', 'cool down'), ('greeting', 'farewell'), ('preparing food', 'cleaning the kitchen'))


@dataclass
class Part:
    """A step with its length and pace drawn."""

    step: Step
    seconds: float
    speed_mps: float


def draw_parts(rng: np.random.Generator, recipe: Recipe, pace: float) -> list[Part]:
    """Draw repeats, lengths and paces; ``pace`` 0 gives the shortest performance, 1 the natural spread."""

    def count(times: tuple[int, int]) -> int:
        return times[0] + int(rng.integers(times[1] - times[0] + 1)) if pace >= 0.5 else times[0]

    parts = []
    for _ in range(count(recipe.rounds)):
        for step in recipe.steps:
            if step.chance < 1 and (pace == 0 or rng.random() >= step.chance):
                continue
            for _ in range(count(step.times)):
                actions = [BY_NAME[name] for name in step.acts]
                low, high = max(a.seconds[0] for a in actions), min(a.seconds[1] for a in actions)
                if step.path == 'meet':
                    high = min(high, MEETING_S)
                seconds = low + (high - low) * pace * rng.random() * (0.4 + 0.6 * rng.random())
                slow, fast = actions[0].speed_mps
                parts.append(Part(step, seconds, slow + (fast - slow) * rng.random()))
    return parts
