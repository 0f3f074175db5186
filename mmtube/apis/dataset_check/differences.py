"""Where a metric's own ground truth differs from that of the data set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from mmtube.fileio import read_text

from . import sources
from .columns import Boxes, Labels, Times
from .samples import Perfect

SAME_BOX = 0.02


def ava_differences(path: str, perfect: Perfect) -> Iterator[tuple[str, str]]:
    """Compare a csv of AVA, whose classes count from 1, with perfect samples.

    Args:
        path (str): The csv.
        perfect (Perfect): Samples of clips; a column more than classes, for the background, is passed over.

    Yields:
        tuple[str, str]: Line of the csv, or key time that it lacks, and what is different.
    """
    columns = {type(column): column for column in sources.ava_columns(path, None, {})}
    labels, times, boxes = columns[Labels], columns[Times], columns[Boxes]
    lines = _rows_by_picture(path)
    known = {(sample['video_id'], round(float(sample['timestamp']) * 1000)): sample for sample in perfect.samples}
    seen, offset = set(), 0 if has_background(perfect) else 1
    for (vid, time_ms), rows in lines.items():
        sample = known.get((vid, time_ms))
        if sample is None:
            yield labels.place(rows[0]), f'the data set has no key time {time_ms / 1000:g} of {vid!r}'
            continue
        seen.add((vid, time_ms))
        truth = sample['pred_instances']['bboxes'].numpy()
        classes = sample['pred_instances']['scores'].numpy()
        for row in rows:
            box = boxes.boxes[row]
            near = np.flatnonzero(np.abs(truth - box).max(axis=1, initial=0) <= SAME_BOX) if len(truth) else []
            shown = ','.join(f'{value:g}' for value in box)
            if not len(near):
                yield labels.place(row), f'the data set has no box {shown} at {times.spans_s[row, 0]:g} of {vid!r}'
                break
            wanted = int(labels.values[row])
            if not any(0 <= wanted - offset < classes.shape[1] and classes[at, wanted - offset] > 0 for at in near):
                own = sorted({int(label) + offset for at in near for label in np.flatnonzero(classes[at])})
                yield labels.place(row), f'action {wanted} here, {own} in the data set, for box {shown} of {vid!r}'
                break
    for (vid, time_ms), sample in known.items():
        if (vid, time_ms) not in seen and len(sample['pred_instances']['bboxes']):
            yield f'{vid},{time_ms / 1000:g}', 'the key time is in the data set but not in this file'


def has_background(perfect: Perfect) -> bool:
    """Return whether column 0 of the labels is never used, as a column for the background."""
    scores = (sample['pred_instances']['scores'] for sample in perfect.samples)
    return not any(bool(rows[:, :1].any()) for rows in scores)


def _rows_by_picture(path: str) -> dict[tuple[str, int], list[int]]:
    found: dict[tuple[str, int], list[int]] = defaultdict(list)
    row = 0
    for line in read_text(path).removeprefix('\ufeff').splitlines():
        cells = line.split(',')
        if any(cells[2:]):
            found[cells[0].strip(), round(float(cells[1]) * 1000)].append(row)
            row += 1
    return found
