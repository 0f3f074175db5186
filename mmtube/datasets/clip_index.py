"""SEAL Clips out of SEAL Tubes: which windows there are, who is in them, where, and doing what (SEAL, Sec. 3.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmtube.structures.seal import InstanceTable, SEALAnnotations

from .box_sampler import TOLERANCE_S, BoxSampler, SampledBoxes

LABEL_RULES = ('overlap', 'keytime')
PRESENCE_PER_S = 4
PRESENT_SHARE = 0.5


@dataclass(eq=False)
class ClipIndex:
    """All clips of some films, and a row for each person in a clip; K clips, R rows, B boxes in each.

    Rows are in the order of their clips, and in a clip in the order of the tubelets in the file.

    Args:
        vids (list[str]): Films.
        tids (list[str]): Tubelets.
        window_s (float): Length of a clip in seconds.
        num_classes (int): Number of classes.
        clip_films (np.ndarray): (K,) int64 film of each clip, a number in ``vids``.
        clip_starts_s (np.ndarray): (K,) float64 seconds where the clip begins.
        key_s (np.ndarray): (K,) float64 seconds of its key time, the middle.
        row_offsets (np.ndarray): (K + 1,) int64; rows ``row_offsets[k]`` to ``row_offsets[k + 1]`` are of clip ``k``.
        row_tubelets (np.ndarray): (R,) int64 tubelet of each row, a number in ``tids``.
        person_ids (np.ndarray): (R,) int64 the person's ID in the film.
        boxes_px (np.ndarray): (R, B, 4) float32 xyxy in pixels at the times of ``box_offsets_s``, 0 where none.
        valid (np.ndarray): (R, B) bool, whether there is a box.
        box_offsets_s (np.ndarray): (B,) float64 seconds of the boxes after the beginning of the clip.
        key_boxes_px (np.ndarray): (R, 4) float32 box at the key time: the ground truth, whatever ``B`` is.
        key_valid (np.ndarray): (R,) bool, whether there is one.
        key_scores (np.ndarray): (R,) float32 its score, 1 where people drew it, 0 where there is none.
        label_offsets (np.ndarray): (R + 1,) int64 begin of each row's labels in ``labels``.
        labels (np.ndarray): (L,) int64 classes, increasing within a row.
    """

    vids: list[str]
    tids: list[str]
    window_s: float
    num_classes: int
    clip_films: np.ndarray
    clip_starts_s: np.ndarray
    key_s: np.ndarray
    row_offsets: np.ndarray
    row_tubelets: np.ndarray
    person_ids: np.ndarray
    boxes_px: np.ndarray
    valid: np.ndarray
    box_offsets_s: np.ndarray
    key_boxes_px: np.ndarray
    key_valid: np.ndarray
    key_scores: np.ndarray
    label_offsets: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.key_s)

    @property
    def num_rows(self) -> int:
        """Person-clips."""
        return len(self.row_tubelets)

    @property
    def row_clips(self) -> np.ndarray:
        """(R,) int64 clip of each row."""
        return np.repeat(np.arange(len(self)), np.diff(self.row_offsets))

    def rows(self, clip: int) -> slice:
        """Return the rows of a clip."""
        return slice(int(self.row_offsets[clip]), int(self.row_offsets[clip + 1]))

    def multi_hot(self, rows: np.ndarray | slice) -> np.ndarray:
        """Return (n, C) bool labels of some rows."""
        rows = np.arange(self.num_rows)[rows]
        counts = np.diff(self.label_offsets)[rows]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        result = np.zeros((len(rows), self.num_classes), bool)
        places = np.repeat(self.label_offsets[rows], counts) + within
        result[np.repeat(np.arange(len(rows)), counts), self.labels[places]] = True
        return result

    def class_counts(self) -> np.ndarray:
        """Return (C,) int64 person-clips of each class."""
        return np.bincount(self.labels, minlength=self.num_classes)


def clip_index(
    annotations: SEALAnnotations,
    window_s: float = 2.0,
    stride_s: float = 1.0,
    boxes_per_s: int = 1,
    label_rule: str = 'overlap',
    min_overlap: float = 0.5,
    num_classes: int | None = None,
    *,
    task: str = 'atomic',
    nearest_s: float = 0.25,
    gap_s: float = 0.5,
) -> ClipIndex:
    """Cut all films into clips and find the people, boxes and labels of each.

    Clip ``k`` covers ``[k * stride_s, k * stride_s + window_s)``, its key time is the middle; clips lie within the
    film. A person is in a clip with a box within one frame of the key time, or with boxes at half or more of the times
    0.125, 0.375, ... (4 per second); who is in it does not depend on ``boxes_per_s``. At 1 box per second a row has its
    box at the key time only, else one in the middle of each ``1 / boxes_per_s`` seconds. The window and stride are
    SEAL's (Sec. 3.2); the rules are ours because the paper does not give them.

    Args:
        annotations (SEALAnnotations): Tubes.
        window_s (float): Length of a clip in seconds. Defaults to 2.0.
        stride_s (float): Seconds from clip to clip. Defaults to 1.0.
        boxes_per_s (int): Boxes per second; SEAL compares 1 and 4. Defaults to 1.
        label_rule (str): ``'overlap'``: an instance is a label if it shares ``min_overlap`` of the shorter of itself
            and the clip; ``'keytime'``: if the key time lies in it (half open), as in AVA. Defaults to 'overlap'.
        min_overlap (float): See ``label_rule``. Defaults to 0.5.
        num_classes (int | None): Number of classes. Defaults to None, the largest label plus 1.
        task (str): ``'atomic'`` or ``'complex'``: which instances are labels. Defaults to 'atomic'.
        nearest_s (float): See :class:`~mmtube.datasets.box_sampler.BoxSampler`. Defaults to 0.25.
        gap_s (float): See the same. Defaults to 0.5.

    Returns:
        ClipIndex: Clips in the order of the films and of time.

    Raises:
        InputError: If a label is not below ``num_classes``.
        ValueError: If an argument is out of range.
    """
    if window_s <= 0 or stride_s <= 0 or boxes_per_s < 1 or not 0 < min_overlap <= 1:
        raise ValueError('window_s, stride_s and boxes_per_s must be positive and min_overlap in (0, 1]')
    if label_rule not in LABEL_RULES:
        raise ValueError(f'label_rule must be one of {LABEL_RULES}, got {label_rule!r}')
    table = annotations.instances(task)
    if num_classes is None:
        num_classes = int(table.labels.max(initial=-1)) + 1
    else:
        table.check_classes(num_classes, f'{annotations.name}: {task}')

    duration_s = np.array([video.duration_s for video in annotations.videos.values()], np.float64)
    counts = np.maximum(np.floor((duration_s - window_s) / stride_s + TOLERANCE_S).astype(np.int64) + 1, 0)
    first_clip = np.cumsum(counts) - counts
    clip_films = np.repeat(np.arange(len(counts)), counts)
    starts_s = (np.arange(counts.sum()) - np.repeat(first_clip, counts)) * stride_s

    sampler = BoxSampler(annotations, nearest_s, gap_s)
    tubelets, numbers = _candidates(sampler, counts, window_s, stride_s)
    presence_s = _offsets_s(window_s, PRESENCE_PER_S)
    key, present = _present(sampler, tubelets, numbers * stride_s, window_s, presence_s)
    tubelets, numbers = tubelets[present], numbers[present]
    clips = first_clip[sampler.films[tubelets]] + numbers
    order = np.lexsort((tubelets, clips))
    tubelets, clips = tubelets[order], clips[order]
    key_boxes_px, key_valid, key_scores = (column[present][order] for column in (key.boxes_px, key.valid, key.scores))

    offsets_s = np.array([window_s / 2]) if boxes_per_s == 1 else _offsets_s(window_s, boxes_per_s)
    if boxes_per_s == 1:
        boxes_px, valid = key_boxes_px[:, None], key_valid[:, None]
    else:
        times_s = starts_s[clips][:, None] + offsets_s
        sampled = sampler(np.repeat(tubelets, len(offsets_s)), times_s.reshape(-1))
        boxes_px, valid = sampled.boxes_px.reshape(*times_s.shape, 4), sampled.valid.reshape(times_s.shape)
    rows, labels = _labels(table, sampler, tubelets, clips, starts_s, window_s, label_rule, min_overlap)
    people = np.array([record.person_id for record in annotations.tubelets.values()], np.int64)
    return ClipIndex(
        list(annotations.videos),
        sampler.tids,
        window_s,
        num_classes,
        clip_films,
        starts_s,
        starts_s + window_s / 2,
        np.searchsorted(clips, np.arange(len(starts_s) + 1)),
        tubelets,
        people[tubelets],
        boxes_px,
        valid,
        offsets_s,
        key_boxes_px,
        key_valid,
        key_scores,
        np.searchsorted(rows, np.arange(len(tubelets) + 1)),
        labels,
    )


def _offsets_s(window_s: float, per_s: int) -> np.ndarray:
    return (np.arange(max(round(window_s * per_s), 1)) + 0.5) / per_s


def _candidates(
    sampler: BoxSampler, counts: np.ndarray, window_s: float, stride_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Tubelets and the numbers, within the film, of all clips that they may be in."""
    margin_s = np.maximum(sampler.nearest_s, 1 / sampler.fps)
    begin_s, end_s = sampler.first / sampler.fps - margin_s, sampler.last / sampler.fps + margin_s
    first = np.maximum(np.ceil((begin_s - window_s) / stride_s), 0).astype(np.int64)
    end = np.minimum(np.floor(end_s / stride_s).astype(np.int64) + 1, counts[sampler.films])
    lengths = np.where(sampler.last < 0, 0, np.maximum(end - first, 0))
    tubelets = np.repeat(np.arange(len(lengths)), lengths)
    return tubelets, np.arange(len(tubelets)) + np.repeat(first - np.cumsum(lengths) + lengths, lengths)


def _present(
    sampler: BoxSampler, tubelets: np.ndarray, starts_s: np.ndarray, window_s: float, presence_s: np.ndarray
) -> tuple[SampledBoxes, np.ndarray]:
    """Boxes at the key times, and which candidates are in their clip."""
    key = sampler(tubelets, starts_s + window_s / 2)
    frame_s = 1 / sampler.fps[tubelets]
    present = key.valid & (key.distance_s <= frame_s + TOLERANCE_S)
    rest = np.flatnonzero(~present)  # few: the others need no second look
    times_s = starts_s[rest][:, None] + presence_s
    valid = sampler(np.repeat(tubelets[rest], len(presence_s)), times_s.reshape(-1)).valid.reshape(times_s.shape)
    present[rest] = valid.mean(axis=1) >= PRESENT_SHARE
    return key, present


def _labels(
    table: InstanceTable,
    sampler: BoxSampler,
    tubelets: np.ndarray,
    clips: np.ndarray,
    starts_s: np.ndarray,
    window_s: float,
    label_rule: str,
    min_overlap: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and labels, each pair once, in the order of rows and labels."""
    if not len(table) or not len(tubelets):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    names = np.array(sampler.tids)
    by_name = np.argsort(names, kind='stable')
    place = np.minimum(np.searchsorted(names, table.tids, sorter=by_name), len(names) - 1)
    owner = by_name[place]
    by_tubelet = np.lexsort((clips, tubelets))
    edges = np.searchsorted(tubelets[by_tubelet], np.arange(len(names) + 1))
    lengths = np.where(names[owner] == table.tids, np.diff(edges)[owner], 0)
    instance = np.repeat(np.arange(len(table)), lengths)
    within = np.arange(len(instance)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    rows = by_tubelet[np.repeat(edges[owner], lengths) + within]
    begin_s, start_s, end_s = starts_s[clips[rows]], table.start_s[instance], table.end_s[instance]
    if label_rule == 'keytime':
        key_s = begin_s + window_s / 2
        taken = (start_s <= key_s + TOLERANCE_S) & (key_s < end_s - TOLERANCE_S)
    else:
        shared_s = np.minimum(begin_s + window_s, end_s) - np.maximum(begin_s, start_s)
        taken = (shared_s > 0) & (shared_s >= min_overlap * np.minimum(end_s - start_s, window_s) - TOLERANCE_S)
    classes = int(table.labels.max()) + 1
    pairs = np.unique(rows[taken] * classes + table.labels[instance[taken]])
    return pairs // classes, pairs % classes
