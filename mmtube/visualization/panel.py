"""The list of actions beside a person: how it looks and where it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .actions import Action
from .canvas import blend, fill, rounded_mask, text_mask

Rect = tuple[int, int, int, int]  # x1, y1, x2, y2 in pixels, half open
WHITE, DARK = (255, 255, 255), (14, 16, 20)

# Cost of a place, per share of the panel that lies over other people, over its own person, or that had to be moved to
# stay in the frame; and of leaving the side where the panel was, so that panels do not jump.
OVER_OTHERS, OVER_OWN, MOVED, CHANGED = 1.0, 0.7, 0.5, 0.35
MAX_LABEL_FONTS = 14  # longest label, in font sizes


@dataclass(frozen=True)
class Panel:
    """Rows of a label and a bar as long as its score, on a dark ground.

    Args:
        labels (list[np.ndarray]): Coverage of each label's text, of one height.
        scores (list[float]): In [0, 1].
        font_px (int): Font size, from which the spaces follow.
    """

    labels: list[np.ndarray]
    scores: list[float]
    font_px: int

    @classmethod
    def of(cls, actions: Sequence[Action], font_px: int, max_width_px: int) -> Panel:
        """Write the labels of some actions, complex activities in bold."""
        room = min(max_width_px - 2 * _margin(font_px), MAX_LABEL_FONTS * font_px)
        return cls(
            [text_mask(a.name, font_px, a.is_complex, room) for a in actions], [a.score for a in actions], font_px
        )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        inner = max(max(label.shape[1] for label in self.labels), 5 * self.font_px)
        return inner + 2 * _margin(self.font_px), len(self.labels) * self._row_px + _margin(self.font_px)

    @property
    def _bar_px(self) -> int:
        return max(2, round(self.font_px / 7))

    @property
    def _row_px(self) -> int:
        return self.labels[0].shape[0] + self._bar_px + max(1, self.font_px // 8)

    def draw(self, image: np.ndarray, x: int, y: int, rgb: tuple[int, int, int]) -> None:
        """Draw with the upper left corner at (x, y), bars in ``rgb``."""
        (width, height), margin = self.size, _margin(self.font_px)
        blend(image, rounded_mask(width, height, self.font_px // 3), x, y, DARK, opacity=0.66)
        for row, (label, score) in enumerate(zip(self.labels, self.scores)):
            top = y + margin // 2 + row * self._row_px
            blend(image, label, x + margin, top, WHITE)
            bar_top = top + label.shape[0]
            left, right = x + margin, x + width - margin
            fill(image, (left, bar_top, right, bar_top + self._bar_px), WHITE, opacity=0.22)
            end = left + max(1, round((right - left) * min(max(score, 0.0), 1.0)))
            fill(image, (left, bar_top, end, bar_top + self._bar_px), rgb)


def _margin(font_px: int) -> int:
    return max(2, round(font_px * 0.45))


def place(
    size: tuple[int, int],
    person: Rect,
    tag: Rect,
    taken: list[Rect],
    others: list[Rect],
    frame_size: tuple[int, int],
    last_side: int | None,
) -> tuple[int, int, int] | None:
    """Find the place of a panel at its person.

    The sides, best first: above the tag, right of the box, left of it, below it, inside it at its foot.

    Args:
        size (tuple[int, int]): Width and height of the panel.
        person (Rect): The person's box.
        tag (Rect): The person's ID tag.
        taken (list[Rect]): Tags and panels, which a panel never hides.
        others (list[Rect]): Boxes of the other people.
        frame_size (tuple[int, int]): Width and height of the frame.
        last_side (int | None): The side in the frame before.

    Returns:
        tuple[int, int, int] | None: Side, x and y; None where it fits nowhere.
    """
    (width, height), (x1, y1, x2, y2) = size, person
    if width > frame_size[0] or height > frame_size[1]:
        return None
    gap = 2
    corners = [
        (tag[0], tag[1] - gap - height),
        (x2 + gap, y1),
        (x1 - gap - width, y1),
        (x1, y2 + gap),
        (x1 + gap, y2 - gap - height),
    ]
    best = None
    for side, (x, y) in enumerate(corners):
        left, top = min(max(x, 0), frame_size[0] - width), min(max(y, 0), frame_size[1] - height)
        rect = (left, top, left + width, top + height)
        area = width * height
        if any(overlap(rect, other) for other in taken):
            continue
        hidden = OVER_OTHERS * sum(overlap(rect, other) for other in others) + OVER_OWN * overlap(rect, person)
        moved = min(1.0, abs(left - x) / width + abs(top - y) / height)
        cost = hidden / area + MOVED * moved + 0.01 * side + CHANGED * (last_side not in (None, side))
        if best is None or cost < best[0]:
            best = (cost, side, left, top)
    return None if best is None else best[1:]


def overlap(first: Rect, second: Rect) -> int:
    """Return the area in pixels that two rectangles share."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(width, 0) * max(height, 0)
