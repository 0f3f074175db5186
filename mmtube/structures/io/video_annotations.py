"""What happens when in whole videos, for training: the JSON of ActivityNet, HACS, THUMOS14 and others.

    {"database": {vid: {"subset": "training", "duration": 82.7, "fps": 30.0,
                        "annotations": [{"segment": [start, end], "label": name}]}}}
    {vid: {"duration_second": 82.7, "duration_frame": 2480, "feature_frame": 2464, "fps": 30.0, "annotations": [...]}}

The second form is MMAction2's; there rows of features may cover less than the video, ``feature_frame`` of its
``duration_frame``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mmtube.errors import InputError

from ._json import Node, read_json


@dataclass(frozen=True, eq=False)
class VideoAnnotations:
    """Segments of V videos as columns, in the order of the file.

    Args:
        vids (list[str]): Keys of the videos.
        durations_s (np.ndarray): (V,) float64 lengths in seconds.
        covered_s (np.ndarray): (V,) float64 seconds that features of the video cover, from its beginning.
        fps (np.ndarray): (V,) float64 frames per second, NaN where the file tells none.
        offsets (np.ndarray): (V + 1,) int64, the rows of video ``v`` are ``offsets[v]`` to ``offsets[v + 1]``.
        segments_s (np.ndarray): (N, 2) float64 seconds, as they stand in the file.
        labels (list[str]): Names of the classes of the N segments.
        places (list[str]): Where each segment stands, for messages.
    """

    vids: list[str]
    durations_s: np.ndarray
    covered_s: np.ndarray
    fps: np.ndarray
    offsets: np.ndarray
    segments_s: np.ndarray
    labels: list[str]
    places: list[str]

    @property
    def film_of(self) -> np.ndarray:
        """(N,) int64 number of the video of each segment."""
        return np.repeat(np.arange(len(self.vids)), np.diff(self.offsets))


def read_video_annotations(
    path: str | os.PathLike, subsets: Iterable[str] | None = None
) -> tuple[VideoAnnotations, list[str]]:
    """Read the segments of the videos of some subsets.

    Args:
        path (str | os.PathLike): File to read.
        subsets (Iterable[str] | None): Names of subsets, upper or lower case. Defaults to None, all videos.

    Returns:
        tuple: The segments, and the names of the classes of all subsets, sorted.

    Raises:
        InputError: If the file is missing or not of this form, a video has no length, or there is no such subset.
    """
    root = read_json(path)
    if 'database' in root:
        root = root['database']
    videos = dict(root.items())
    notes = {vid: list(video['annotations']) if 'annotations' in video else [] for vid, video in videos.items()}
    names = sorted({note['label'].text() for rows in notes.values() for note in rows})
    if subsets is not None:
        wanted = {name.lower() for name in subsets}
        told = {vid: video['subset'].text() if 'subset' in video else '' for vid, video in videos.items()}
        missing = sorted(wanted - {name.lower() for name in told.values()})
        if missing:
            raise InputError(f'{path}: has no subset {missing[0]!r}, it has {", ".join(sorted(set(told.values())))}')
        videos = {vid: video for vid, video in videos.items() if told[vid].lower() in wanted}
    rows = [note for vid in videos for note in notes[vid]]
    facts = np.array([_facts(video) for video in videos.values()], np.float64).reshape(-1, 3)
    segments_s = [note['segment'].array(np.float64, (2,)) for note in rows]
    durations_s, covered_s, fps = facts.T
    columns = VideoAnnotations(
        list(videos),
        durations_s,
        covered_s,
        fps,
        offsets=np.cumsum([0, *(len(notes[vid]) for vid in videos)]),
        segments_s=np.array(segments_s, np.float64).reshape(-1, 2),
        labels=[note.value['label'] for note in rows],
        places=[note.where for note in rows],
    )
    return columns, names


def _facts(video: Node) -> tuple[float, float, float]:
    """Length, what features cover of it, and frames per second."""
    node = video['duration_second' if 'duration_second' in video else 'duration']
    duration_s = node.number()
    if duration_s <= 0:
        raise node.error(f'must be positive, not {duration_s:g}')
    covered_s = duration_s
    if 'feature_frame' in video and 'duration_frame' in video:
        covered_s *= video['feature_frame'].integer(1) / video['duration_frame'].integer(1)
    fps = video['fps'].number() if 'fps' in video else np.nan
    if fps <= 0:
        raise video['fps'].error(f'must be positive, not {fps:g}')
    return duration_s, covered_s, fps
