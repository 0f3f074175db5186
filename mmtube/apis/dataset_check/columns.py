"""What annotation files say, in columns, as it stands in them: nothing here has been refused or repaired yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Place = Callable[[int], str]


@dataclass(frozen=True, eq=False)
class Labels:
    """Classes of rows.

    Args:
        file (str): Where they stand.
        place (Place): Returns what a row is called, such as ``line 12``.
        values (np.ndarray): (N,) int64 labels as in the file.
        names (Mapping[int, str] | None): Names of the classes by the label that the file has to use; None if the number
            of classes is not known.
    """

    file: str
    place: Place
    values: np.ndarray
    names: Mapping[int, str] | None


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes.

    Args:
        file (str): Where they stand.
        place (Place): Returns what a row is called.
        boxes (np.ndarray): (N, 4) float, meant as x1, y1, x2, y2.
        sizes (np.ndarray): (N, 2) float width and height of the picture in pixels, NaN where not known.
        fractions (bool): Whether they are meant as fractions of the picture, not as pixels. Defaults to False.
        from_widths (bool): Whether the file has widths and heights, from which x2 and y2 were made. Defaults to False.
    """

    file: str
    place: Place
    boxes: np.ndarray
    sizes: np.ndarray
    fractions: bool = False
    from_widths: bool = False


@dataclass(frozen=True, eq=False)
class Times:
    """Segments, or key times as segments without length.

    Args:
        file (str): Where they stand.
        place (Place): Returns what a row is called.
        spans_s (np.ndarray): (N, 2) float64 start and end, meant as seconds after the first frame.
        films (np.ndarray): (N,) int64 number of the film.
        durations_s (np.ndarray): (N,) float64 length of the film, NaN where not known.
        fps (np.ndarray): (N,) float64 frames per second of the film, NaN where not known.
        moments (bool): Whether these are key times. Defaults to False.
        zero_s (float): What the file calls the first frame: it was subtracted. Defaults to 0.
    """

    file: str
    place: Place
    spans_s: np.ndarray
    films: np.ndarray
    durations_s: np.ndarray
    fps: np.ndarray
    moments: bool = False
    zero_s: float = 0.0


@dataclass(frozen=True, eq=False)
class Frames:
    """Frame numbers of boxes in files that count frames.

    Args:
        file (str): Where they stand.
        place (Place): Returns what a row is called.
        values (np.ndarray): (N,) float64 frame numbers.
        films (np.ndarray): (N,) int64 number of the film.
        counts (np.ndarray): (N,) int64 frames of the film.
        first (int): Number of the first frame in this format. Defaults to 1.
    """

    file: str
    place: Place
    values: np.ndarray
    films: np.ndarray
    counts: np.ndarray
    first: int = 1


@dataclass(frozen=True, eq=False)
class Keys:
    """What tells rows apart: of two rows with one key no detection can find the second.

    Args:
        file (str): Where they stand.
        place (Place): Returns what a row is called.
        values (np.ndarray): (N,) or (N, K), compared exactly.
        noun (str): What a row is. Defaults to 'row'.
    """

    file: str
    place: Place
    values: np.ndarray
    noun: str = 'row'


Column = Labels | Boxes | Times | Frames | Keys
