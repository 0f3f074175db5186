"""Rows of the SEAL schema: videos, tubelets, action instances."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mmtube.errors import InputError

GROUPS = ('pose', 'pp', 'po')  # pose, person-person, person-object
STAGES = {1: 'coarse', 2: 'short refine', 3: 'long merge', 4: 'long refine'}


@dataclass(frozen=True)
class VideoRecord:
    """One film.

    Args:
        source (str): Where it comes from: ``'anet'``, ``'hacs'``, ``'web'`` or the name of another collection.
        width (int): Width in pixels.
        height (int): Height in pixels.
        fps (float): Frames per second; frame ``i`` is at ``i / fps``.
        num_frames (int): Number of frames.
        duration_s (float): Length in seconds.
        split (str): ``'train'``, ``'val'`` or ``'test'``.
        shots (tuple[tuple[int, int], ...]): Camera shots as half-open ranges of frames. Defaults to none, not known.
    """

    source: str
    width: int
    height: int
    fps: float
    num_frames: int
    duration_s: float
    split: str
    shots: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class TubeletRecord:
    """One person in one film; the boxes are in the box table.

    Args:
        vid (str): The film.
        person_id (int): The person's ID in this film, >= 0.
        frame_range (tuple[int, int]): Half-open range of frames from the first box to the last; it may have holes.
        box_key (str): Key in the box table.
        origin (tuple[str, ...]): Tubelets of the coarse file that this one came from. Defaults to none.
        stage (int): Step of the annotation that made it, 1 to 4 (SEAL, Sec. 3.2; see ``STAGES``). Defaults to 4.
        across_shots (bool): Whether a reviewer approved that the ID goes on across a shot change. Defaults to False.
    """

    vid: str
    person_id: int
    frame_range: tuple[int, int]
    box_key: str
    origin: tuple[str, ...] = ()
    stage: int = 4
    across_shots: bool = False


@dataclass(eq=False)
class InstanceTable:
    """Action instances of one task, one row each.

    Args:
        tids (np.ndarray): (M,) str tubelet.
        labels (np.ndarray): (M,) int64 class.
        groups (np.ndarray): (M,) str: one of ``GROUPS`` for atomic actions, ``''`` for complex activities.
        start_s (np.ndarray): (M,) float64 seconds of film time.
        end_s (np.ndarray): (M,) float64 seconds of film time.

    Raises:
        ValueError: If the columns differ in length.
    """

    tids: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    start_s: np.ndarray
    end_s: np.ndarray

    def __post_init__(self) -> None:
        self.tids, self.groups = np.asarray(self.tids, str), np.asarray(self.groups, str)
        self.labels = np.asarray(self.labels, np.int64)
        self.start_s, self.end_s = np.asarray(self.start_s, np.float64), np.asarray(self.end_s, np.float64)
        shapes = {column.shape for column in (self.tids, self.labels, self.groups, self.start_s, self.end_s)}
        if shapes != {(len(self.tids),)}:
            raise ValueError(f'columns of an instance table must have one length, got {sorted(shapes)}')

    def __len__(self) -> int:
        return len(self.tids)

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[str, int, str, float, float]]) -> InstanceTable:
        """Make a table from ``(tid, label, group, start_s, end_s)``.

        Examples:
            >>> len(InstanceTable.from_rows([('t1', 3, 'pose', 0.5, 2.0)]))
            1
        """
        rows = list(rows)
        columns = zip(*rows) if rows else [[]] * 5
        return cls(*map(list, columns))  # type: ignore[arg-type]

    def rows(self, keep: np.ndarray) -> InstanceTable:
        """Return the rows that ``keep`` (mask or indices) selects."""
        return InstanceTable(
            self.tids[keep], self.labels[keep], self.groups[keep], self.start_s[keep], self.end_s[keep]
        )

    def check_classes(self, num_classes: int, name: str) -> None:
        """See that all classes are below a number of classes.

        Args:
            num_classes (int): Number of classes.
            name (str): File and task, for the message.

        Raises:
            InputError: If one is not: the first such row.
        """
        beyond = np.flatnonzero(self.labels >= num_classes)
        if len(beyond):
            row = int(beyond[0])
            told = f'label {self.labels[row]} is not below {num_classes} classes'
            raise InputError(f'{name} instance {row} (tubelet {self.tids[row]}): {told}')

    @property
    def duration_s(self) -> np.ndarray:
        """(M,) float64 lengths in seconds."""
        return self.end_s - self.start_s
