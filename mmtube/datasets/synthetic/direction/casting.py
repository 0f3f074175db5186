"""Who plays: bodies and clothes, more or less alike."""

from __future__ import annotations

import numpy as np

from ..script import Color, Look

# BGR; far apart, so that clothes tell people apart where they are meant to.
SHIRTS: tuple[Color, ...] = (
    (40, 40, 200), (190, 90, 30), (60, 160, 50), (30, 190, 225), (160, 50, 140), (225, 225, 225), (45, 45, 50),
    (30, 120, 230), (180, 170, 40), (150, 130, 235), (80, 70, 110), (120, 200, 160),
)  # fmt: skip
TROUSERS: tuple[Color, ...] = (
    (110, 70, 40), (50, 50, 55), (60, 95, 135), (150, 150, 155), (45, 75, 50), (70, 40, 75), (150, 175, 195),
)  # fmt: skip
SKINS: tuple[Color, ...] = ((165, 195, 230), (130, 165, 210), (95, 130, 180), (65, 90, 135), (50, 65, 95))
HAIRS: tuple[Color, ...] = ((25, 25, 30), (35, 60, 90), (70, 130, 180), (60, 70, 150), (150, 150, 155))
SHOES: tuple[Color, ...] = ((30, 30, 30), (220, 220, 220), (40, 50, 90), (60, 40, 150))


def _blend(own: Color, common: Color, alike: float) -> Color:
    return tuple(int(np.floor(a + (b - a) * alike + 0.5)) for a, b in zip(own, common, strict=True))


def _pick(rng: np.random.Generator, count: int, options: int) -> list[int]:
    """Return ``count`` numbers below ``options``, all different as long as there are enough."""
    turns = -(-count // options)
    return [int(i) for _ in range(turns) for i in rng.permutation(options)][:count]


def cast(rng: np.random.Generator, count: int, look_alike: float) -> list[Look]:
    """Return how the people of a film look.

    Args:
        rng (np.random.Generator): Source of chance.
        count (int): Number of people.
        look_alike (float): 0 gives everyone clothes of their own, 1 gives all the same clothes, hair and nearly the
            same height; between, colours lie between. The skin stays a person's own up to 1.

    Returns:
        list[Look]: One each.
    """
    shirts, trousers = _pick(rng, count, len(SHIRTS)), _pick(rng, count, len(TROUSERS))
    common = {
        'shirt': SHIRTS[int(rng.integers(len(SHIRTS)))],
        'trousers': TROUSERS[int(rng.integers(len(TROUSERS)))],
        'hair': HAIRS[int(rng.integers(len(HAIRS)))],
        'shoes': SHOES[int(rng.integers(len(SHOES)))],
        'style': int(rng.integers(4)),
        'sleeves': bool(rng.integers(2)),
    }
    looks = []
    for i in range(count):
        like_all = rng.random() < look_alike
        hair, shoes = HAIRS[int(rng.integers(len(HAIRS)))], SHOES[int(rng.integers(len(SHOES)))]
        style, sleeves = int(rng.integers(4)), bool(rng.integers(2))
        stripe = SHIRTS[int(rng.integers(len(SHIRTS)))] if rng.random() < 0.35 else None
        looks.append(
            Look(
                skin=_blend(SKINS[int(rng.integers(len(SKINS)))], SKINS[1], look_alike * 0.8),
                hair=_blend(hair, common['hair'], look_alike),
                shirt=_blend(SHIRTS[shirts[i]], common['shirt'], look_alike),
                trousers=_blend(TROUSERS[trousers[i]], common['trousers'], look_alike),
                shoes=_blend(shoes, common['shoes'], look_alike),
                height_m=1.72 + (rng.random() - 0.5) * (0.32 - 0.26 * look_alike),
                girth=1.0 + (rng.random() - 0.5) * (0.34 - 0.28 * look_alike),
                hair_style=common['style'] if like_all else style,
                long_sleeves=common['sleeves'] if like_all else sleeves,
                stripe=None if like_all else stripe,
            )
        )
    return looks
