"""A contact sheet of a set: activities as rows of moments."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .annotation.sight import Sight, look
from .direction.activities import COMPLEX_NAMES
from .direction.director import direct
from .options import SetOptions
from .picture.renderer import FilmRenderer, film_strip
from .script import Activity, FilmScript

BOX_COLOR = (90, 230, 250)


class BoxedFilm:
    """A film with a thin box round some people, for :func:`~.picture.renderer.film_strip`.

    Args:
        renderer (FilmRenderer): The film.
        sights (list[Sight]): The boxes of those people.
    """

    def __init__(self, renderer: FilmRenderer, sights: list[Sight]) -> None:
        self.script = renderer.script
        self._renderer = renderer
        self._sights = sights

    def draw(self, index: int) -> np.ndarray:
        """Return a frame as (H, W, 3) uint8 BGR."""
        image = self._renderer.draw(index)
        for sight in self._sights:
            if sight.shown[index]:
                x1, y1, x2, y2 = np.round(sight.boxes_px[index]).astype(int).tolist()
                cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), BOX_COLOR, 1)
        return image


def actions_at(script: FilmScript, person: int, time_s: float) -> list[str]:
    """Return the atomic actions of a person at a moment."""
    return [act.action for act in script.people[person].acts if act.start_s <= time_s < act.end_s]


@dataclass(frozen=True, eq=False)
class Moment:
    """An activity of a person in a film, and how well it is to be seen."""

    film: BoxedFilm
    person: int
    activity: Activity
    seen: float


def moments_of(script: FilmScript) -> list[Moment]:
    """Return all activities in a film."""
    renderer = FilmRenderer(script)
    bodies = [renderer.body(number) for number in range(len(script.people))]
    sights = look(script, bodies, [renderer.occluders(shot) for shot in range(len(script.shots))])
    found = []
    for number, person in enumerate(script.people):
        for activity in person.activities:
            rows = slice(int(activity.start_s * script.fps), int(activity.end_s * script.fps) + 1)
            tall = np.median(np.nan_to_num(sights[number].boxes_px[rows, 3] - sights[number].boxes_px[rows, 1]))
            seen = float(np.median(sights[number].visible[rows])) * min(float(tall), 100.0)
            found.append(Moment(BoxedFilm(renderer, [sights[number]]), number, activity, seen))
    return found


def activity_strip(moment: Moment, columns: int) -> np.ndarray:
    """Return one activity of a person as a row of moments, with what the person does under each.

    Args:
        moment (Moment): The activity.
        columns (int): Number of moments.

    Returns:
        np.ndarray: (H, W, 3) uint8 BGR.
    """
    script, activity = moment.film.script, moment.activity
    step_s = (activity.end_s - activity.start_s) / columns
    times_s = [activity.start_s + (column + 0.5) * step_s for column in range(columns)]
    frames = [min(int(time_s * script.fps), script.num_frames - 1) for time_s in times_s]
    captions = [' + '.join(actions_at(script, moment.person, time_s)) or '-' for time_s in times_s]
    captions[0] = f'[{activity.name}] {captions[0]}'
    return film_strip(moment.film, frames, captions, columns)


def contact_sheet(options: SetOptions, columns: int = 6, rows: int = len(COMPLEX_NAMES), films: int = 24) -> np.ndarray:
    """Return a sheet with one activity of each class, that of the first training films which is best to be seen.

    Args:
        options (SetOptions): Options of the set.
        columns (int): Moments of each. Defaults to 6.
        rows (int): Most activities. Defaults to all classes.
        films (int): Training films that are looked at, if there are so many. Defaults to 24.

    Returns:
        np.ndarray: (H, W, 3) uint8 BGR.
    """
    best: dict[str, Moment] = {}
    for number in range(min(max(options.films[0], 1), films)):
        for moment in moments_of(direct(options, 'train', number)):
            name = moment.activity.name
            if name not in best or moment.seen > best[name].seen:
                best[name] = moment
    return np.concatenate([activity_strip(best[name], columns) for name in sorted(best)[:rows]])
