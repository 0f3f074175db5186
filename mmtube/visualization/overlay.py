"""People, their IDs and what they do, drawn on the frames of a film."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmtube.structures import VideoResult

from .actions import Action, ActionIndex
from .canvas import blend, fill, rounded_mask, text_mask
from .palette import person_rgb, text_rgb
from .panel import Panel, Rect, place


class Person(NamedTuple):
    """What is drawn for one person in one frame.

    Args:
        track_id (int): The person's ID.
        box_px (np.ndarray): (4,) xyxy in pixels.
        observed (bool): False where the box was filled in; it is drawn dashed. Defaults to True.
        actions (Sequence[Action]): Labels, the first on top. Defaults to none.
    """

    track_id: int
    box_px: np.ndarray
    observed: bool = True
    actions: Sequence[Action] = ()


class TubeOverlay:
    """Draw the tubes of a film on its frames.

    Box, ID tag and the current actions with a bar for their score, in the person's colour; filled-in boxes are dashed.
    Actions are the segments at that time, complex activities in bold, or the clip scores where there are no segments.
    Sizes follow the frame. A panel of actions goes to the side of its person where it hides least, and stays there
    while that is nearly the best; for this the overlay remembers sides, so frames are best drawn in order.

    Args:
        result (VideoResult): The film.
        top_k (int): Most actions shown at one person. Defaults to 3.
        min_score (float): Actions with a lower score are not shown. Defaults to 0.1.

    Examples:
        >>> overlay = TubeOverlay(result)  # doctest: +SKIP
        >>> film.write(overlay.draw(image_bgr, frame_ind=0, time_s=0.0), 0.0)  # doctest: +SKIP
    """

    def __init__(self, result: VideoResult, top_k: int = 3, min_score: float = 0.1) -> None:
        self.result = result
        self._actions = ActionIndex(result, top_k, min_score)
        lengths = [len(tube) for tube in result.tubes]
        frame_inds = np.concatenate([tube.frame_inds for tube in result.tubes] or [np.zeros(0, np.int64)])
        order = np.argsort(frame_inds, kind='stable')
        self._frame_inds = frame_inds[order]
        self._tube_inds = np.repeat(np.arange(len(lengths)), lengths)[order]
        self._rows = np.concatenate([np.arange(length) for length in lengths] or [np.zeros(0, np.int64)])[order]
        self._sides: dict[int, int] = {}

    def people(self, frame_ind: int, time_s: float) -> list[Person]:
        """Return who is in a frame and what they do at its time."""
        first, end = np.searchsorted(self._frame_inds, [frame_ind, frame_ind + 1])
        found = []
        for tube_ind, row in zip(self._tube_inds[first:end].tolist(), self._rows[first:end].tolist()):
            tube = self.result.tubes[tube_ind]
            actions = self._actions.at(tube_ind, time_s)
            found.append(Person(tube.track_id, tube.boxes_px[row], bool(tube.observed[row]), actions))
        return found

    def draw(self, image: np.ndarray, frame_ind: int, time_s: float) -> np.ndarray:
        """Draw on a frame, in place.

        Args:
            image (np.ndarray): (H, W, 3) uint8 BGR.
            frame_ind (int): Index of the frame.
            time_s (float): Its time in seconds.

        Returns:
            np.ndarray: ``image``.
        """
        return draw_people(image, self.people(frame_ind, time_s), self._sides)


def draw_people(image: np.ndarray, people: list[Person], sides: dict[int, int] | None = None) -> np.ndarray:
    """Draw people on an image, in place.

    Args:
        image (np.ndarray): (H, W, 3) uint8 BGR.
        people (list[Person]): Who; boxes may reach beyond the image.
        sides (dict[int, int] | None): On which side the panel of each ID was in the frame before; kept up to date.
            Defaults to None.

    Returns:
        np.ndarray: ``image``.
    """
    height, width = image.shape[:2]
    short = min(height, width)
    font_px = max(7, round(0.021 * short + 6))  # 11 px at 240p, 29 px at 1080p
    line_px = max(1, round(1 + short / 360))  # 2 px at 240p, 4 px at 1080p
    sides = {} if sides is None else sides
    shown = [person for person in people if _visible(person.box_px, width, height)]
    # The nearest people, whose boxes end lowest, are drawn last and choose the places of their panels first.
    shown.sort(key=lambda person: (float(person.box_px[3]), person.track_id))
    rects: list[Rect] = [tuple(round(float(value)) for value in person.box_px) for person in shown]  # type: ignore
    for person, rect in zip(shown, rects):
        _draw_box(image, rect, person_rgb(person.track_id), line_px, person.observed)
    tags = [_draw_tag(image, rect, person.track_id, font_px) for person, rect in zip(shown, rects)]
    taken = list(tags)
    for ind in reversed(range(len(shown))):
        person, others = shown[ind], rects[:ind] + rects[ind + 1 :]
        for count in range(len(person.actions), 0, -1):  # fewer labels where there is no room for all
            panel = Panel.of(person.actions[:count], font_px, width)
            spot = place(panel.size, rects[ind], tags[ind], taken, others, (width, height), sides.get(person.track_id))
            if spot is not None:
                sides[person.track_id], x, y = spot
                panel.draw(image, x, y, person_rgb(person.track_id))
                taken.append((x, y, x + panel.size[0], y + panel.size[1]))
                break
    return image


def _visible(box_px: np.ndarray, width: int, height: int) -> bool:
    return bool((box_px[:2] < (width, height)).all() and (box_px[2:] > 0).all())


def _draw_box(image: np.ndarray, rect: Rect, rgb: tuple[int, int, int], line_px: int, solid: bool) -> None:
    """Draw a box whose line lies inside it, with a dark rim that keeps it visible on any ground."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = max(rect[0], 0), max(rect[1], 0), min(rect[2], width), min(rect[3], height)
    x2, y2 = max(x2, x1 + line_px), max(y2, y1 + line_px)
    rim = max(1, line_px // 2)
    for grow, line, color, opacity in ((rim, line_px + 2 * rim, (0, 0, 0), 0.3), (0, line_px, rgb, 1.0)):
        left, top, right, bottom = x1 - grow, y1 - grow, x2 + grow, y2 + grow
        for across in (top, bottom - line):
            for start, end in _dashes(left, right, line_px, solid):
                fill(image, (start, across, end, across + line), color, opacity)
        for across in (left, right - line):
            for start, end in _dashes(top + line, bottom - line, line_px, solid):
                fill(image, (across, start, across + line, end), color, opacity)


def _dashes(start: int, end: int, line_px: int, solid: bool) -> list[tuple[int, int]]:
    if solid:
        return [(start, end)]
    return [(at, min(at + 4 * line_px, end)) for at in range(start, end, 7 * line_px)]


def _draw_tag(image: np.ndarray, rect: Rect, track_id: int, font_px: int) -> Rect:
    """Draw the ID on the upper left corner of the box, inside it where there is no room above; return where it is."""
    rgb = person_rgb(track_id)
    text = text_mask(str(track_id), font_px, bold=True)
    margin = max(2, font_px // 3)
    width, height = max(text.shape[1] + 2 * margin, text.shape[0]), text.shape[0]
    x = min(max(rect[0], 0), image.shape[1] - width)
    y = rect[1] - height if rect[1] >= height else max(rect[1], 0)
    y = min(y, image.shape[0] - height)
    blend(image, rounded_mask(width, height, font_px // 4), x, y, rgb)
    blend(image, text, x + (width - text.shape[1]) // 2, y, text_rgb(rgb))
    return x, y, x + width, y + height
