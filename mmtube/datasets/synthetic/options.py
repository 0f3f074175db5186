"""What a set of films is made with, and which activities each film must show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .direction.activities import RECIPE_BY_NAME, RECIPES, Recipe
from .numerics import generator

SPLITS = ('train', 'val', 'test')
PRESETS = ('ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium', 'slow', 'slower', 'veryslow')
PREMIERES = 2  # activities that an early film of a split must show, so that every class occurs in every split
ROUNDS = {'train': 2, 'val': 1, 'test': 1}  # how often each class has a premiere
OF_SET, OF_FILM = 1, 2  # streams of chance


@dataclass(frozen=True)
class SetOptions:
    """What a set of films is made with; the films follow from it alone.

    Args:
        seed (int): Seed of the set. Defaults to 0.
        films (tuple[int, int, int]): Number of films for training, validation and test. A film depends on its split
            and number, not on how many there are. Defaults to (84, 18, 18).
        seconds (tuple[float, float]): Shortest and longest film. Defaults to (20, 60).
        size (tuple[int, int]): Width and height in pixels. Defaults to (320, 240).
        zipf (float): How much rarer each activity is than the one before it: the n-th most frequent one is drawn in
            proportion to ``n ** -zipf``; 0 makes them equal. Defaults to 1.
        look_alike (float | None): How much the people of a film resemble one another, from 0 to 1. Defaults to None:
            0.2, and 0.9 in every fifth film.
        shake (float): Strength of the shake of the camera, 0 is a tripod. Defaults to 1.
        crf (int): Quality of the encoder, see :class:`~mmtube.structures.io.FilmWriter`. Defaults to 26.
        preset (str): Speed of the encoder. Defaults to 'superfast'.

    Raises:
        ValueError: If a number is out of range.
    """

    seed: int = 0
    films: tuple[int, int, int] = (84, 18, 18)
    seconds: tuple[float, float] = (20.0, 60.0)
    size: tuple[int, int] = (320, 240)
    zipf: float = 1.0
    look_alike: float | None = None
    shake: float = 1.0
    crf: int = 26
    preset: str = 'superfast'

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f'seed must be >= 0, got {self.seed}')
        if len(self.films) != len(SPLITS) or min(self.films) < 0:
            raise ValueError(f'films must be three numbers >= 0, got {self.films}')
        if not 5 <= self.seconds[0] <= self.seconds[1] <= 600:
            raise ValueError(f'seconds must be within 5 and 600, got {self.seconds}')
        if min(self.size) < 96 or self.size[0] % 2 or self.size[1] % 2 or self.size[0] * 3 != self.size[1] * 4:
            raise ValueError(f'size must be even, 4:3 and at least 128x96, got {self.size}')
        if not 0 <= self.zipf <= 4:
            raise ValueError(f'zipf must be within 0 and 4, got {self.zipf}')
        if not 0 <= self.crf <= 51:
            raise ValueError(f'crf must be within 0 and 51, got {self.crf}')
        if self.preset not in PRESETS:
            raise ValueError(f'preset must be one of {PRESETS}, got {self.preset!r}')
        if self.look_alike is not None and not 0 <= self.look_alike <= 1:
            raise ValueError(f'look_alike must be within 0 and 1, got {self.look_alike}')
        if not 0 <= self.shake <= 4:
            raise ValueError(f'shake must be within 0 and 4, got {self.shake}')

    @classmethod
    def smoke(cls, **changes: object) -> SetOptions:
        """Return the options of a set of eight films of a few seconds, to see that everything works."""
        return cls(**{'films': (4, 2, 2), 'seconds': (6.0, 8.0), **changes})  # type: ignore[arg-type]

    def look_alike_of(self, number: int) -> float:
        """Return how alike the people of a film are."""
        return self.look_alike if self.look_alike is not None else 0.9 if number % 5 == 4 else 0.2

    def film_seed(self, split: str, number: int) -> tuple[int, int, int, int]:
        """Return the seed of a film."""
        return self.seed, OF_FILM, SPLITS.index(split), number

    def film_names(self) -> list[tuple[str, str, int]]:
        """Return name, split and number of each film."""
        return [
            (f'{split}_{number:04d}', split, number)
            for split, count in zip(SPLITS, self.films, strict=True)
            for number in range(count)
        ]


def activity_weights(zipf: float) -> np.ndarray:
    """Return in what proportion activities are drawn, in the order of ``RECIPES``, as (C,) float64.

    Between whole exponents it is a mixture of the two, which needs no ``pow``.
    """
    whole = int(zipf)
    rank = np.arange(1, len(RECIPES) + 1, dtype=np.float64)
    low = np.ones(len(RECIPES))
    for _ in range(whole):
        low = low / rank
    return low * (1.0 - (zipf - whole)) + low / rank * (zipf - whole)


def premieres(options: SetOptions, split: str, number: int) -> list[Recipe]:
    """Return the activities that a film must show.

    The first films of a split go through all activities, rare ones too: twice in training, once elsewhere.
    """
    rng = generator(options.seed, OF_SET, SPLITS.index(split))
    names = [RECIPES[int(i)].name for i in rng.permutation(len(RECIPES))] * ROUNDS[split]
    # Activities of two come first, because whoever is there for them can also act alone.
    chosen = [RECIPE_BY_NAME[name] for name in names[number * PREMIERES : (number + 1) * PREMIERES]]
    return sorted(chosen, key=lambda recipe: -recipe.people)
