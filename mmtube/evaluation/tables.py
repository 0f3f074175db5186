"""What metrics take: columns of ground truth and of detections, with the place each row came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeVar

import numpy as np

from mmtube.errors import InputError

Place = Callable[[int], str]
DTYPES = {
    **dict.fromkeys(('video', 'labels', 'frames', 'offsets'), np.int64),
    **dict.fromkeys(('scores', 'segments_s', 'durations_s', 'boxes', 'boxes_px'), np.float64),
}


LARGEST = 1e9  # a time in seconds or a coordinate beyond it is a slip, and its length may overflow


def _row(number: int) -> str:
    return f'row {number}'


@dataclass(frozen=True, eq=False)
class Table:
    """Columns that all tables have.

    Args:
        videos (list[str]): Names of what is scored apart: films, or tubelets where the tubelet is given; also those
            without a row.
        video (np.ndarray): (N,) int64 number in ``videos``.
        labels (np.ndarray): (N,) int64 class from 0.
        scores (np.ndarray | None): (N,) float64 confidence; None for ground truth.
        name (str): File or other source, for messages. Defaults to 'table'.
        place (Place): Returns for a row where it stands in the source, such as ``line 12``. Defaults to ``row N``.

    Raises:
        ValueError: If columns differ in length.
    """

    COLUMNS: ClassVar[tuple[str, ...]] = ('video', 'labels', 'scores')

    videos: list[str]
    video: np.ndarray
    labels: np.ndarray
    scores: np.ndarray | None = None
    name: str = 'table'
    place: Place = field(default=_row, repr=False)

    def __post_init__(self) -> None:
        for name, dtype in DTYPES.items():
            values = getattr(self, name, None)
            if values is not None:
                object.__setattr__(self, name, np.asarray(values, dtype))
        lengths = {name: len(getattr(self, name)) for name in self.COLUMNS if getattr(self, name) is not None}
        if len(set(lengths.values())) > 1:
            raise ValueError(f'columns of {self.name} must have one length, got {lengths}')

    def __len__(self) -> int:
        return len(self.video)

    def refuse(self, wrong: np.ndarray, cause: str) -> None:
        """Raise an :class:`~mmtube.errors.InputError` that names the first row where ``wrong`` (N,) is true."""
        rows = np.flatnonzero(wrong)
        if len(rows):
            more = f' (and {len(rows) - 1} more)' if len(rows) > 1 else ''
            raise InputError(f'{self.name}: {self.place(int(rows[0]))}: {cause}{more}')

    def rows(self: T, keep: np.ndarray) -> T:
        """Return the rows that ``keep`` (mask or indices) selects; the names of the videos stay."""
        keep = np.flatnonzero(keep) if np.asarray(keep).dtype == bool else np.asarray(keep, np.int64)
        place = self.place
        return replace(self, **self._columns(keep), place=lambda row: place(int(keep[row])))

    def _columns(self, keep: np.ndarray) -> dict[str, np.ndarray]:
        values = {name: getattr(self, name) for name in self.COLUMNS}
        return {name: value[keep] for name, value in values.items() if value is not None}

    def check(self, num_classes: int) -> None:
        """See that labels and scores can be used.

        Args:
            num_classes (int): Number of classes.

        Raises:
            InputError: If a label is out of range or a score is not a finite number.
        """
        self.refuse((self.labels < 0) | (self.labels >= num_classes), f'the label is none of {num_classes} classes')
        if self.scores is not None:
            self.refuse(~np.isfinite(self.scores), 'the score is not a finite number')


T = TypeVar('T', bound=Table)


@dataclass(frozen=True, eq=False)
class SegmentTable(Table):
    """Segments of videos or of tubelets.

    Args:
        segments_s (np.ndarray): (N, 2) float64 start and end in seconds.
        durations_s (np.ndarray | None): (V,) float64 length of each video in seconds. Defaults to None, not known.
    """

    COLUMNS = (*Table.COLUMNS, 'segments_s')

    segments_s: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    durations_s: np.ndarray | None = None

    def check(self, num_classes: int) -> None:
        """See that the rows can be scored.

        Raises:
            InputError: If a label is out of range, a score or time is not finite, a time is beyond 1e9 s, or a segment
                does not end after its start.
        """
        super().check(num_classes)
        self.refuse(~np.isfinite(self.segments_s).all(axis=1), 'a time is not a finite number')
        self.refuse((np.abs(self.segments_s) > LARGEST).any(axis=1), f'a time is beyond {LARGEST:g} s')
        self.refuse(self.segments_s[:, 1] <= self.segments_s[:, 0], 'the segment does not end after its start')


@dataclass(frozen=True, eq=False)
class BoxTable(Table):
    """Boxes in frames; ``videos`` are films.

    Args:
        frames (np.ndarray): (N,) int64 number of the frame or key time in the film: two rows with one film and one
            frame are in the same picture. Key times are in milliseconds.
        boxes (np.ndarray): (N, 4) float64 xyxy, in one unit for both tables.
    """

    COLUMNS = (*Table.COLUMNS, 'frames', 'boxes')

    frames: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))

    def check(self, num_classes: int) -> None:
        """See that the rows can be scored.

        Raises:
            InputError: If a label is out of range, a score or coordinate is not finite, a coordinate is beyond 1e9, or
                a box is reversed.
        """
        super().check(num_classes)
        self.refuse(~np.isfinite(self.boxes).all(axis=1), 'a coordinate is not a finite number')
        self.refuse((np.abs(self.boxes) > LARGEST).any(axis=1), f'a coordinate is beyond {LARGEST:g}')
        self.refuse((self.boxes[:, 2:] < self.boxes[:, :2]).any(axis=1), 'the box is reversed')


@dataclass(frozen=True, eq=False)
class TubeTable(Table):
    """Tubes with one class each; ``videos`` are films.

    Args:
        offsets (np.ndarray): (N + 1,) int64: the boxes of tube i are rows ``offsets[i]`` to ``offsets[i + 1]``.
        frames (np.ndarray): (R,) int64 frame index, strictly increasing in a tube.
        boxes_px (np.ndarray): (R, 4) float64 xyxy in pixels.
    """

    offsets: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    frames: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    boxes_px: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))

    def _columns(self, keep: np.ndarray) -> dict[str, np.ndarray]:
        columns = super()._columns(keep)
        lengths = np.diff(self.offsets)[keep]
        offsets = np.r_[0, np.cumsum(lengths)]
        inner = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1][keep] - offsets[:-1], lengths)
        return {**columns, 'offsets': offsets, 'frames': self.frames[inner], 'boxes_px': self.boxes_px[inner]}

    def check(self, num_classes: int) -> None:
        """See that the tubes can be scored.

        Raises:
            InputError: If a label is out of range, a score or coordinate is not finite, a coordinate is beyond 1e9, a
                box is reversed, a tube has no box or its frames do not increase.
        """
        super().check(num_classes)
        lengths = np.diff(self.offsets)
        self.refuse(lengths <= 0, 'the tube has no box')
        owner = np.repeat(np.arange(len(self)), lengths)
        faults = [
            ('a coordinate is not a finite number', ~np.isfinite(self.boxes_px).all(axis=1)),
            (f'a coordinate is beyond {LARGEST:g}', (np.abs(self.boxes_px) > LARGEST).any(axis=1)),
            ('a box is reversed', (self.boxes_px[:, 2:] < self.boxes_px[:, :2]).any(axis=1)),
            ('its frames do not increase', np.r_[False, (np.diff(self.frames) <= 0) & (np.diff(owner) == 0)]),
        ]
        for cause, rows in faults:
            if rows.any():
                self.refuse(np.isin(np.arange(len(self)), owner[rows[: len(owner)]]), cause)


def align(truth: T, found: T) -> tuple[T, T]:
    """Number the videos of both tables alike: those of the ground truth first, then those that only were predicted.

    Names are sorted, so that nothing depends on the order of the files.

    Returns:
        tuple: Both tables over the same list of videos.

    Raises:
        InputError: If there is no ground truth at all, or there are predictions and none of them is in a video that
            the ground truth lists (with or without a row): the two files do not belong together.
    """
    if not len(truth):
        raise InputError(f'{truth.name}: has no ground truth, there is nothing to score')
    names = sorted(set(truth.videos))
    known = set(names)
    if len(found) and not known & set(np.asarray(found.videos, object)[np.unique(found.video)].tolist()):
        first = found.videos[int(found.video[0])]
        raise InputError(
            f'{found.name}: no video of it is in {truth.name} (the first is {first!r}, there the first is {names[0]!r})'
        )
    names += sorted(set(found.videos) - known)
    return _renumber(truth, names), _renumber(found, names)


def _renumber(table: T, names: Sequence[str]) -> T:
    number = {name: place for place, name in enumerate(names)}
    places = np.array([number[name] for name in table.videos], np.int64)
    changed: dict[str, object] = {'videos': list(names), 'video': places[table.video]}
    durations = getattr(table, 'durations_s', None)
    if durations is not None:
        spread = np.full(len(names), np.nan)
        spread[places] = durations
        changed['durations_s'] = spread
    return replace(table, **changed)


def video_counts(truth: Table, found: Table, unit: str = 'videos') -> dict[str, int]:
    """Count what every protocol prints, of two aligned tables.

    Args:
        truth (Table): Ground truth.
        found (Table): Predictions.
        unit (str): What is scored apart, in the names of the counts. Defaults to 'videos'.

    Returns:
        dict[str, int]: ``videos`` with ground truth, those of them ``videos_without_predictions`` (all their ground
        truth counts as missed), ``ground_truths``, ``predictions``, and ``predictions_in_other_videos`` (false
        positives in videos without any ground truth).
    """
    with_truth = np.zeros(len(truth.videos), bool)
    with_truth[truth.video] = True
    predicted = np.zeros(len(truth.videos), bool)
    predicted[found.video] = True
    return {
        unit: int(with_truth.sum()),
        f'{unit}_without_predictions': int((with_truth & ~predicted).sum()),
        'ground_truths': len(truth),
        'predictions': len(found),
        f'predictions_in_other_{unit}': int((~with_truth[found.video]).sum()),
    }
