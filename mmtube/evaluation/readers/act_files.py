"""Files of the ACT scripts, which UCF101-24, JHMDB and MultiSports use: tubes in a pickle, detections in a flat table.

Frames keep the numbers that the files give them (from 1); both files count alike.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.tables import LARGEST, BoxTable, TubeTable
from mmtube.structures.io import load_pickle

from .csv_columns import Columns, is_number, read_columns

LAYOUT = 'video,frame,label,score,x1,y1,x2,y2'


def read_act_truth(path: str | os.PathLike, split: int = 0) -> tuple[TubeTable, list[str]]:
    """Read the ground truth of the test videos of a split: ``gttubes``, ``labels`` and ``test_videos`` of the pickle.

    Args:
        path (str | os.PathLike): The pickle; nothing in it is run.
        split (int): Split of the data set, from 0. Defaults to 0.

    Returns:
        tuple[TubeTable, list[str]]: Tubes, whose ``videos`` are the test videos in the order of the file, those without
        a tube too (flat detections refer to this order), and the names of the classes.

    Raises:
        InputError: If the file is missing, no such pickle, has no such split, or has a tube that is not (n, 5), is not
            finite, stands there twice, has a class that it does not name, a reversed box or frames that do not
            increase.
    """
    document = load_pickle(path)
    for key, kind in (('labels', list), ('gttubes', dict), ('test_videos', list)):
        if not isinstance(document, dict) or not isinstance(document.get(key), kind):
            told = 'is no ground truth of UCF101-24, JHMDB or MultiSports'
            raise InputError(f'{path}: has no {kind.__name__} {key!r}, {told}')
    splits = document['test_videos']
    if not all(isinstance(videos, (list, tuple)) for videos in splits):
        raise InputError(f'{path}: test_videos must hold a list of videos for each split')
    if not 0 <= split < len(splits):
        raise InputError(f'{path}: test_videos has {len(splits)} splits, there is no split {split} (they count from 0)')
    videos = [str(video) for video in splits[split]]
    if len(set(videos)) < len(videos):
        raise InputError(f'{path}: test_videos names {max(videos, key=videos.count)!r} twice')
    video, labels, tubes, places = [], [], [], []
    for number, name in enumerate(videos):
        by_class = document['gttubes'].get(name, {})
        if not isinstance(by_class, dict):
            raise InputError(f'{path}: gttubes[{name!r}]: is no dict of tubes by class')
        for label in by_class:
            for index, tube in enumerate(by_class[label]):
                place = f'gttubes[{name!r}][{label!r}][{index}]'
                try:
                    labels.append(int(label))
                    tubes.append(_tube(tube))
                except (TypeError, ValueError) as error:
                    raise InputError(f'{path}: {place}: {error}') from None
                video.append(number)
                places.append(place)
    rows = np.concatenate(tubes) if tubes else np.zeros((0, 5))
    table = TubeTable(
        videos=videos,
        video=np.array(video, np.int64),
        labels=np.array(labels, np.int64),
        offsets=np.cumsum([0, *map(len, tubes)]),
        frames=rows[:, 0].astype(np.int64),
        boxes_px=rows[:, 1:],
        name=str(path),
        place=lambda row: places[row],
    )
    classes = [str(name) for name in document['labels']]
    if len(set(classes)) < len(classes):
        raise InputError(f'{path}: labels names {max(classes, key=classes.count)!r} twice')
    table.check(len(classes))
    seen: set[tuple[int, int, bytes]] = set()
    known = [(*key, tube.tobytes()) for *key, tube in zip(video, labels, tubes)]
    table.refuse(np.array([key in seen or seen.add(key) is not None for key in known], bool), 'stands there twice')
    return table, classes


def _tube(tube: object) -> np.ndarray:
    rows = np.asarray(tube, np.float64)
    if rows.ndim != 2 or rows.shape[1] != 5:
        raise ValueError(f'a tube is (n, 5): frame, x1, y1, x2, y2; this one is {rows.shape}')
    if not np.isfinite(rows).all():
        raise ValueError('a number is not finite')
    if (rows[:, 0] != np.floor(rows[:, 0])).any():
        raise ValueError('a frame is no whole number')
    if (np.abs(rows[:, 0]) > LARGEST).any():
        raise ValueError(f'a frame is beyond {LARGEST:g}')
    return rows


def read_flat_detections(path: str | os.PathLike, videos: list[str], num_classes: int) -> BoxTable:
    """Read detections of frames: ``video,frame,label,score,x1,y1,x2,y2`` rows, labels from 0, boxes in pixels.

    Args:
        path (str | os.PathLike): A csv, in which lines in front may begin with ``#``, or a npy of (N, 8) numbers. The
            video is a number from 0, the place in ``videos``, or, in a csv, a name. A column in which a name of
            ``videos`` stands, or anything that is no number, holds names.
        videos (list[str]): Videos of the ground truth, in its order.
        num_classes (int): Number of classes.

    Returns:
        BoxTable: Detections; its ``videos`` begin with the given ones.

    Raises:
        InputError: If the file cannot be read, or a row is of another form, has a video that is none, a frame or label
            that is not whole, a label that is out of range, a score or coordinate that is not finite, or a reversed
            box.
    """
    columns = _npy(path) if Path(path).suffix == '.npy' else read_columns(path, LAYOUT)
    names, known = list(videos), columns.values
    if Path(path).suffix == '.npy':
        number, known = known[:, 0], known[:, 1:]
    elif set(columns.names) & set(videos) or not all(map(is_number, columns.names)):
        names += [name for name in columns.names if name not in set(videos)]
        places = {name: place for place, name in enumerate(names)}
        number = np.array([places[name] for name in columns.names], np.float64)[columns.name]
    else:
        number = np.array([float(name) for name in columns.names])[columns.name]
    outside = ~((number >= 0) & (number < len(names)))
    columns.refuse(outside, f'there is no such video, the ground truth has {len(videos)} (the first is 0)')
    for cause, values in (('the video', number), ('the frame', known[:, 0]), ('the label', known[:, 1])):
        columns.refuse(~np.isfinite(values) | (values != np.floor(values)), f'{cause} is no whole number')
        columns.refuse(np.abs(values) > LARGEST, f'{cause} is beyond {LARGEST:g}')
    table = BoxTable(
        videos=names,
        video=number.astype(np.int64),
        labels=known[:, 1].astype(np.int64),
        scores=known[:, 2].copy(),
        frames=known[:, 0].astype(np.int64),
        boxes=known[:, 3:].copy(),
        name=str(path),
        place=columns.place,
    )
    table.check(num_classes)
    return table


class _Rows(Columns):
    def place(self, row: int) -> str:
        """Return the row: an array has no lines."""
        return f'row {row}'


def _npy(path: str | os.PathLike) -> Columns:
    try:
        values = np.load(path, allow_pickle=False)
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror or error})') from None
    except (ValueError, EOFError) as error:
        raise InputError(f'{path}: is no npy of numbers ({error})') from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in 'fiu' or values.ndim != 2 or values.shape[1] != 8:
        raise InputError(f'{path}: must be (N, 8) numbers: {LAYOUT}')
    return _Rows(str(path), [], np.zeros(len(values), np.int64), values.astype(np.float64), np.arange(len(values)))


def boxes_of_tubes(tubes: TubeTable) -> BoxTable:
    """Return each box of each tube as a row of its own, with the class and score of its tube."""
    owner = np.repeat(np.arange(len(tubes)), np.diff(tubes.offsets))
    return BoxTable(
        videos=tubes.videos,
        video=tubes.video[owner],
        labels=tubes.labels[owner],
        scores=None if tubes.scores is None else tubes.scores[owner],
        frames=tubes.frames,
        boxes=tubes.boxes_px,
        name=tubes.name,
        place=lambda row: f'{tubes.place(int(owner[row]))} frame {tubes.frames[row]}',
    )
