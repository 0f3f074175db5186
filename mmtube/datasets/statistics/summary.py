"""All statistics of SEAL's Sec. 3.3 and 3.4 of some annotations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.structures.seal import LabelMap, SEALAnnotations

from ..clip_index import ClipIndex, clip_index
from ..quality import Columns
from .geometry import box_sizes, center_offsets
from .synergy import different_people_pairs, group_coverage, ranked_pairs, same_person_pairs
from .tables import SHORTEST_S, clips_row, label_lengths, per_tube, tubes_row, zipf_fit

TASKS = ('atomic', 'complex')
MOVED_PX = 50  # SEAL: half of all boxes move more than 50 (Sec. 3.4)


@dataclass(eq=False)
class Statistics:
    """What is counted.

    Args:
        name (str): What it is of.
        names (dict[str, list[str]]): Class names by task.
        groups (list[str]): Group of each atomic class, '' where not known.
        table (dict[str, dict[str, Any]]): Rows ``'clips'``, ``'atomic'`` and ``'complex'`` of Table 1.
        mean_s (dict[str, np.ndarray]): (C,) mean seconds of each class by task, NaN without instances (Fig. 2).
        instances (dict[str, np.ndarray]): (C,) instances of each class by task.
        clip_counts (np.ndarray): (C,) person-clips of each atomic class (Fig. 3).
        zipf (dict[str, float]): Fit to ``clip_counts``.
        lengths_s (dict[str, np.ndarray]): (M,) seconds of each instance by task (Fig. 4).
        per_tube (dict[str, np.ndarray]): (T,) instances of each tubelet by task (Fig. 4).
        same_person (list[tuple[int, int, int]]): Class, class, key frames (Table 2, left).
        different_people (list[tuple[int, int, int]]): The same for two people (Table 2, right).
        coverage (dict[str, float]): Share of key boxes with a label of each group.
        sizes (np.ndarray): (H, W) boxes by height and width as shares of the frame (Fig. 5a).
        size_told (dict[str, float]): Means, and the share of boxes as high as the frame.
        offsets_px (np.ndarray): (N,) float32 how far people move within 1 s (Fig. 5b); boxes without are left out.
        offsets_share (np.ndarray): (N,) float32 the same as a share of the frame's diagonal.
    """

    name: str
    names: dict[str, list[str]]
    groups: list[str]
    table: dict[str, dict[str, Any]]
    mean_s: dict[str, np.ndarray]
    instances: dict[str, np.ndarray]
    clip_counts: np.ndarray
    zipf: dict[str, float]
    lengths_s: dict[str, np.ndarray]
    per_tube: dict[str, np.ndarray]
    same_person: list[tuple[int, int, int]]
    different_people: list[tuple[int, int, int]]
    coverage: dict[str, float]
    sizes: np.ndarray
    size_told: dict[str, float]
    offsets_px: np.ndarray
    offsets_share: np.ndarray

    def moved(self) -> dict[str, float]:
        """Return the share of boxes that move more than 50 pixels, and medians."""
        if not len(self.offsets_px):
            return {'over_50_px': 0.0, 'median_px': 0.0, 'median_share': 0.0}
        return {
            'over_50_px': float((self.offsets_px > MOVED_PX).mean()),
            'median_px': float(np.median(self.offsets_px)),
            'median_share': float(np.median(self.offsets_share)),
        }

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON; of lengths and offsets the histograms."""
        seconds, pixels, shares = np.arange(0, 61), np.arange(0, 505, 5), np.arange(0, 51) / 100
        names = self.names['atomic']
        return {
            'name': self.name,
            'table_1': self.table,
            'table_2': {
                side: [{'classes': [names[a], names[b]], 'count': count} for a, b, count in pairs]
                for side, pairs in (('same_person', self.same_person), ('different_people', self.different_people))
            },
            'label_coverage': self.coverage,
            'figure_2': {task: self._classes(task) for task in TASKS},
            'figure_3': {'counts': dict(zip(names, self.clip_counts.tolist())), **_finite(self.zipf)},
            'figure_4': {
                **{f'{task}_seconds': _histogram(self.lengths_s[task], seconds) for task in TASKS},
                **{f'{task}_per_tube': np.bincount(self.per_tube[task], minlength=1).tolist() for task in TASKS},
            },
            'figure_5a': {'counts_by_height_and_width': self.sizes.tolist(), **self.size_told},
            'figure_5b': {
                'pixels': _histogram(self.offsets_px, pixels),
                'share_of_diagonal': _histogram(self.offsets_share, shares),
                **self.moved(),
            },
        }

    def _classes(self, task: str) -> list[dict[str, Any]]:
        """Classes of a task, longest first."""
        order = np.argsort(-np.nan_to_num(self.mean_s[task], nan=-1), kind='stable')
        return [
            {
                'class': self.names[task][label],
                **({'group': self.groups[label]} if task == 'atomic' else {}),
                'mean_s': float(self.mean_s[task][label]),
                'instances': int(self.instances[task][label]),
            }
            for label in order
            if self.instances[task][label]
        ]


def _finite(values: dict[str, float]) -> dict[str, float | None]:
    return {key: value if np.isfinite(value) else None for key, value in values.items()}


def _histogram(values: np.ndarray, edges: np.ndarray) -> dict[str, list]:
    """Counts between edges; what is beyond the last edge is in the last bin."""
    counts, _ = np.histogram(np.minimum(values, edges[-1]), edges)
    return {'edges': edges.tolist(), 'counts': counts.tolist()}


def annotation_statistics(
    annotations: SEALAnnotations,
    label_maps: Mapping[str, LabelMap] | None = None,
    *,
    name: str = 'this set',
    index: ClipIndex | None = None,
) -> Statistics:
    """Count everything.

    Args:
        annotations (SEALAnnotations): Annotations without findings.
        label_maps (Mapping[str, LabelMap] | None): Label maps by task. Defaults to None: classes have numbers for
            names, and the groups that the instances say.
        name (str): What it is of. Defaults to 'this set'.
        index (ClipIndex | None): Clips. Defaults to None, those of the default rules.

    Returns:
        Statistics: Of actions longer than 0.6 s and of all activities.

    Raises:
        InputError: If a label is not in its label map.
    """
    maps = label_maps or {}
    names, groups = class_names(annotations, maps)
    if index is None:
        index = clip_index(annotations, num_classes=len(names['atomic']))
    columns = Columns(annotations)
    shortest = {'atomic': SHORTEST_S, 'complex': 0.0}
    tables = {task: annotations.instances(task) for task in TASKS}
    lengths = {task: label_lengths(tables[task], len(names[task]), shortest[task]) for task in TASKS}
    sizes, size_told = box_sizes(columns)
    offsets = center_offsets(columns)
    told = np.isfinite(offsets)
    diagonal = np.append(np.hypot(columns.width, columns.height), 1).astype(np.float32)[columns.box_video[told]]
    return Statistics(
        name,
        names,
        groups,
        {'clips': clips_row(annotations, index), **{task: tubes_row(annotations, task) for task in TASKS}},
        {task: lengths[task][0] for task in TASKS},
        {task: lengths[task][1] for task in TASKS},
        index.class_counts(),
        zipf_fit(index.class_counts()),
        {task: tables[task].duration_s[tables[task].duration_s > shortest[task]] for task in TASKS},
        {task: per_tube(annotations, task, shortest[task]) for task in TASKS},
        ranked_pairs(same_person_pairs(index)),
        ranked_pairs(different_people_pairs(index)),
        group_coverage(index, groups),
        sizes,
        size_told,
        offsets[told],
        offsets[told] / diagonal,
    )


def class_names(
    annotations: SEALAnnotations, label_maps: Mapping[str, LabelMap]
) -> tuple[dict[str, list[str]], list[str]]:
    """Return class names by task, and the group of each atomic class: that of the label map, else of its instances.

    Raises:
        InputError: If a label is not in its label map.
    """
    names = {}
    for task in TASKS:
        labels = annotations.instances(task).labels
        classes = int(labels.max(initial=-1)) + 1
        if task not in label_maps:
            names[task] = [f'class {label}' for label in range(classes)]
            continue
        names[task] = list(label_maps[task].names)
        if classes > len(names[task]):
            row = int(labels.argmax())
            told = f'label {labels[row]} is not below {len(names[task])} classes of the label map'
            raise InputError(f'{annotations.name}: {task} instance {row}: {told}')
    aa, groups = annotations.aa, [''] * len(names['atomic'])
    if 'atomic' in label_maps and label_maps['atomic'].groups:
        groups = [label_maps['atomic'].group_of(label) for label in range(len(groups))]
    else:
        for label, row in zip(*np.unique(aa.labels, return_index=True)):
            groups[label] = str(aa.groups[row])
    return names, groups
