"""Which actions happen together: SEAL's Table 2, and how many boxes have labels of each group."""

from __future__ import annotations

import numpy as np

from mmtube.structures.seal import GROUPS

from ..clip_index import ClipIndex

# Table 2 of the SEAL paper: the same person, two different people; counts in key frames.
PUBLISHED_SAME = (
    ('lift + walk', 8386), ('twist waist + dance', 2977), ('wave(object) + dance', 2193), ('lift + run', 1866),
    ('wave hand + dance', 1737), ('rotate + dance', 1418), ('lift + stand up', 1290), ('push(object) + walk', 1228),
    ('shake legs + beat with hands', 1134), ('shake hip + dance', 1103),
)  # fmt: skip
PUBLISHED_OTHERS = (
    ('shake legs / beat with hands', 5298), ('wave(object) / bounce', 3825), ('twist waist / dance', 2815),
    ('lift / walk', 2277), ('lift / run', 1722), ('step aerobics / rotate', 1587), ('dance / bounce', 1587),
    ('dance / turn to', 1445), ('rotate / dance', 1441), ('eat / clamp', 879),
)  # fmt: skip
PUBLISHED_COVERAGE = {'pose': 0.3836, 'pp': 0.0354, 'po': 0.6954}


def _key_labels(index: ClipIndex) -> tuple[np.ndarray, np.ndarray]:
    """Return the row and the class of each label of the people who have a box at the key time."""
    rows = np.repeat(np.arange(index.num_rows), np.diff(index.label_offsets))
    seen = index.key_valid[rows]
    return rows[seen], index.labels[seen]


def _neighbours(owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs of places with one owner, in a sorted array of owners."""
    first, second = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for distance in range(1, len(owner)):
        same = np.flatnonzero(owner[distance:] == owner[:-distance])
        if not len(same):
            break
        first.append(same)
        second.append(same + distance)
    return np.concatenate(first), np.concatenate(second)


def same_person_pairs(index: ClipIndex) -> np.ndarray:
    """Count pairs of classes that one person does in one key frame (Table 2, left).

    Args:
        index (ClipIndex): Clips.

    Returns:
        np.ndarray: (C, C) int64; [a, b] with a < b, the rest is 0.
    """
    rows, labels = _key_labels(index)
    first, second = _neighbours(rows)
    return _matrix(labels[first], labels[second], index.num_classes)


def different_people_pairs(index: ClipIndex) -> np.ndarray:
    """Count pairs of different classes that two people do in one key frame, once for each frame (Table 2, right).

    How pairs are counted is not published; counted once for each frame, a crowd does not outweigh many films.

    Args:
        index (ClipIndex): Clips.

    Returns:
        np.ndarray: (C, C) int64; [a, b] with a < b, the rest is 0.
    """
    rows, labels = _key_labels(index)
    clips, people = index.row_clips[rows], index.person_ids[rows]
    first, second = _neighbours(clips)
    apart = (people[first] != people[second]) & (labels[first] != labels[second])
    first, second = first[apart], second[apart]
    low, high = np.minimum(labels[first], labels[second]), np.maximum(labels[first], labels[second])
    codes = np.unique((clips[first] * index.num_classes + low) * index.num_classes + high)
    return _matrix(codes // index.num_classes % index.num_classes, codes % index.num_classes, index.num_classes)


def _matrix(first: np.ndarray, second: np.ndarray, num_classes: int) -> np.ndarray:
    low, high = np.minimum(first, second), np.maximum(first, second)
    return np.bincount(low * num_classes + high, minlength=num_classes**2).reshape(num_classes, num_classes)


def ranked_pairs(pairs: np.ndarray, top: int = 10) -> list[tuple[int, int, int]]:
    """Return the most frequent pairs as (class, class, count); of equal ones the smaller classes come first."""
    order = np.argsort(-pairs.reshape(-1), kind='stable')[:top]
    return [
        (int(code // len(pairs)), int(code % len(pairs)), int(pairs.flat[code]))
        for code in order
        if pairs.flat[code] > 0
    ]


def group_coverage(index: ClipIndex, class_groups: list[str]) -> dict[str, float]:
    """Return the share of key boxes with at least one label of each group (SEAL, Sec. 3.4).

    Args:
        index (ClipIndex): Clips.
        class_groups (list[str]): (C,) group of each class, one of ``GROUPS`` or ''.

    Returns:
        dict[str, float]: Share by group, and of boxes without any label as ``'none'``.
    """
    rows, labels = _key_labels(index)
    total = max(int(index.key_valid.sum()), 1)
    groups = np.array(class_groups, str)[labels] if len(labels) else np.zeros(0, str)
    coverage = {group: len(np.unique(rows[groups == group])) / total for group in GROUPS}
    return {**coverage, 'none': (int(index.key_valid.sum()) - len(np.unique(rows))) / total}
