"""How much is annotated: the rows of SEAL's Table 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmtube.ops import merge_segments
from mmtube.structures.seal import InstanceTable, SEALAnnotations

from ..clip_index import ClipIndex

SHORTEST_S = 0.6  # statistics are of longer actions (SEAL, Sec. 3.3)
# Table 1 of the SEAL paper (arXiv 2204.02688v1), as printed: "videos" are files, clips or tubes.
COLUMNS = ('name', 'videos', 'unit', 'classes', 'instances', 'length', 'boxes')
PUBLISHED = tuple(
    dict(zip(COLUMNS, row))
    for row in (
        ('AVA', '430', 'key frame', '80', '385k', '', '426k'),
        ('AVA-Kinetics', '239k', 'key frame', '80', '624k', '', '590k'),
        ('SEAL Clips', '6,577', 'frame', '172', '510.4k', '', '8,797k'),
        ('THUMOS14', '15.9k', 'segment', '20', '6.4k', '4.6 s / 1.1 min', ''),
        ('FineGym AA', '303', 'segment', '530', '32,697', '1.7 s / 10 min', ''),
        ('UCF101-24', '15.5k', 'tube', '24', '4,458', '5.1 s / 6.9 s', '574k'),
        ('MultiSports', '197.6k', 'tube', '66', '37,701', '1.0 s / 20.9 s', '902k'),
        ('SEAL AA', '13,174 / 19,050', 'tube', '172', '49,578', '3.69 s / 17.53 s', ''),
        ('ActivityNet-1.3', '19,994', 'segment', '200', '23,064', '51.4 s / 1.9 min', ''),
        ('HACS', '50k', 'segment', '200', '140k', '40.6 s / 2.6 min', ''),
        ('FineGym CA', '303', 'segment', '10', '4,883', '55 s / 2 h', ''),
        ('SEAL CA', '4,224 / 19,050', 'tube', '200', '17,712', '12.04 s / 1.8 min', ''),
    )
)


def clips_row(annotations: SEALAnnotations, index: ClipIndex) -> dict[str, Any]:
    """Return what is in the Clips: films, classes, clips with people, person-clips, boxes in all frames, labels."""
    return {
        'videos': len(annotations.videos),
        'classes': int((index.class_counts() > 0).sum()),
        'windows': len(index),
        'clips': int((np.diff(index.row_offsets) > 0).sum()),
        'person_clips': index.num_rows,
        'boxes': len(annotations.boxes),
        'labels': len(index.labels),
    }


def tubes_row(annotations: SEALAnnotations, task: str, min_s: float = SHORTEST_S) -> dict[str, Any]:
    """Return what is in the Tubes of a task.

    Args:
        annotations (SEALAnnotations): Annotations.
        task (str): ``'atomic'`` or ``'complex'``.
        min_s (float): Atomic actions that are not longer are not counted. Defaults to SEAL's 0.6.

    Returns:
        dict[str, Any]: ``videos`` and ``tubes`` with an instance, ``all_tubes``, ``classes``, ``instances``,
        ``mean_instance_s`` and ``mean_video_s``: the length around the instances. For activities that is the film; for
        actions it is the time of the tube within activities (the whole tube where it has none), because what SEAL
        prints for actions is too short for films.
    """
    table = annotations.instances(task)
    if task == 'atomic':
        table = table.rows(table.duration_s > min_s)
    tids = [tid for tid in np.unique(table.tids).tolist() if tid in annotations.tubelets]
    vids = {annotations.tubelets[tid].vid for tid in tids}
    if task == 'atomic':
        video_s = _activity_s(annotations, tids)
    else:
        video_s = [annotations.videos[vid].duration_s for vid in sorted(vids)]
    return {
        'videos': len(vids),
        'tubes': len(tids),
        'all_tubes': len(annotations.tubelets),
        'classes': len(np.unique(table.labels)),
        'instances': len(table),
        'mean_instance_s': _mean(table.duration_s),
        'mean_video_s': _mean(video_s),
    }


def _activity_s(annotations: SEALAnnotations, tids: list[str]) -> list[float]:
    """Seconds of each tubelet within its activities."""
    ca, by_tubelet = annotations.ca, annotations.rows_by_tubelet('complex')
    lengths = []
    for tid in tids:
        rows = by_tubelet.get(tid)
        if rows is None:
            record = annotations.tubelets[tid]
            first, end = record.frame_range
            lengths.append((end - first) / annotations.videos[record.vid].fps)
        else:
            union = merge_segments(np.stack([ca.start_s[rows], ca.end_s[rows]], axis=1))
            lengths.append(float((union[:, 1] - union[:, 0]).sum()))
    return lengths


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def table_text(rows: dict[str, dict[str, Any]], name: str) -> str:
    """Return Table 1 as text: the published rows, and ours below those of SEAL.

    Args:
        rows (dict[str, dict[str, Any]]): ``'clips'``, ``'atomic'`` and ``'complex'`` rows.
        name (str): What was counted.
    """
    clips, aa, ca = rows['clips'], rows['atomic'], rows['complex']
    labels = f'{clips["labels"]:,}'
    ours = {
        'SEAL Clips': (f'{clips["videos"]:,}', 'frame', str(clips['classes']), labels, '', f'{clips["boxes"]:,}'),
        'SEAL AA': _tubes_text(aa),
        'SEAL CA': _tubes_text(ca),
    }
    lines = [('data set', 'videos', 'unit', 'classes', 'instances', 'action / video', 'boxes')]
    for row in PUBLISHED:
        lines.append(tuple(row.values()))
        if row['name'] in ours:
            lines.append((f'  {name}', *ours[row['name']]))
    widths = [max(map(len, column)) for column in zip(*lines)]
    left = [column in ('name', 'unit') for column in COLUMNS]
    text = [
        '  '.join(
            cell.ljust(width) if is_left else cell.rjust(width) for cell, width, is_left in zip(line, widths, left)
        )
        for line in lines
    ]
    text = [line.rstrip() for line in text]
    text.insert(1, '-' * max(map(len, text)))
    per = max(clips['person_clips'], 1)
    text += [
        '',
        f'{clips["person_clips"]:,} person-clips in {clips["clips"]:,} clips (SEAL: 289k), '
        f'{clips["boxes"] / per:.1f} boxes (30.4) and {clips["labels"] / per:.2f} labels (1.77) for each',
        f'{aa["instances"] / max(aa["all_tubes"], 1):.2f} actions (2.60) and '
        f'{ca["instances"] / max(ca["all_tubes"], 1):.2f} activities (0.93) per tubelet, '
        f'{aa["instances"] / max(ca["instances"], 1):.2f} actions per activity (2.80)',
    ]
    return '\n'.join(text) + '\n'


def _tubes_text(row: dict[str, Any]) -> tuple[str, ...]:
    length = f'{row["mean_instance_s"]:.2f} s / {_length(row["mean_video_s"])}'
    count = f'{row["instances"]:,}'
    return f'{row["videos"]:,} / {row["all_tubes"]:,}', 'tube', str(row['classes']), count, length, ''


def _length(seconds: float) -> str:
    return f'{seconds:.2f} s' if seconds < 60 else f'{seconds / 60:.1f} min'


def label_lengths(table: InstanceTable, num_classes: int, min_s: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return how long the instances of each class are on average (Fig. 2).

    Args:
        table (InstanceTable): Instances.
        num_classes (int): Number of classes.
        min_s (float): Instances that are not longer are not counted. Defaults to 0.

    Returns:
        tuple[np.ndarray, np.ndarray]: (C,) float64 mean seconds, NaN for classes without instances, and (C,) int64
        how many instances.
    """
    kept = table.rows(table.duration_s > min_s)
    counts = np.bincount(kept.labels, minlength=num_classes)
    total = np.bincount(kept.labels, kept.duration_s, minlength=num_classes)
    return np.divide(total, counts, out=np.full(len(counts), np.nan), where=counts > 0), counts


def per_tube(annotations: SEALAnnotations, task: str, min_s: float = 0.0) -> np.ndarray:
    """Return (T,) int64 how many instances each tubelet has (Fig. 4)."""
    table = annotations.instances(task)
    number = {tid: index for index, tid in enumerate(annotations.tubelets)}
    tids, inverse = np.unique(table.tids[table.duration_s > min_s], return_inverse=True)
    owners = np.array([number.get(tid, -1) for tid in tids.tolist()], np.int64)[inverse]
    return np.bincount(owners[owners >= 0], minlength=len(number))


def zipf_fit(counts: np.ndarray) -> dict[str, float]:
    """Fit ``log10(count) = intercept + slope * log10(rank)`` by least squares; classes without instances are left out.

    Args:
        counts (np.ndarray): (C,) instances of each class.

    Returns:
        dict[str, float]: ``slope`` (-1 is Zipf's law), ``intercept`` and ``r2``; NaN for fewer than two classes.

    Examples:
        >>> round(zipf_fit(np.array([100, 50, 25, 0]))['slope'], 3)
        -1.234
    """
    sorted_counts = np.sort(counts[counts > 0])[::-1]
    if len(sorted_counts) < 2:
        return {'slope': float('nan'), 'intercept': float('nan'), 'r2': float('nan')}
    x, y = np.log10(np.arange(1, len(sorted_counts) + 1)), np.log10(sorted_counts)
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    intercept = y.mean() - slope * x.mean()
    spread = ((y - y.mean()) ** 2).sum()
    r2 = 1 - ((y - intercept - slope * x) ** 2).sum() / spread if spread > 0 else 1.0
    return {'slope': float(slope), 'intercept': float(intercept), 'r2': float(r2)}
