"""Ground-truth pickles of UCF101-24, JHMDB and MultiSports, in the form of the ACT detector.

    {'labels': [name], 'gttubes': {vid: {class: [tube]}}, 'nframes': {vid: n}, 'resolution': {vid: (height, width)},
     'train_videos': [[vid]], 'test_videos': [[vid]]}

The two lists have one list for each split of the data set. A tube is an (n, 5) array of frame, x1, y1, x2, y2. Frames
are counted from 1 (the MultiSports data card says so), classes from 0. MultiSports measures boxes half open, as we do;
the scripts of UCF101-24 and JHMDB count one pixel more on each side (``inclusive``).
"""

from __future__ import annotations

import os
import pickle
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import atomic_path

from ...io.safe_pickle import load_pickle
from ..annotations import SEALAnnotations
from ..findings import Finding
from ..label_map import LabelMap
from ..records import VideoRecord
from ._common import Collector, Losses, Videos, counted, frames_of, name_of, own_boxes

KEYS = ('labels', 'gttubes', 'nframes', 'resolution')
SPLITS = ('train_videos', 'test_videos')


def act_pkl_label_map(path: str | os.PathLike, task: str = 'atomic') -> LabelMap:
    """Return the class names of a pickle.

    Raises:
        InputError: If the file cannot be read, or names a class twice.
    """
    labels = _load(path)['labels']
    try:
        return LabelMap(task, tuple(map(str, labels)))
    except (TypeError, ValueError) as error:
        raise InputError(f'{path}: labels: {error}') from None


def read_act_pkl(
    path: str | os.PathLike,
    videos: Videos | None = None,
    *,
    fps: float | None = None,
    label_map: LabelMap | None = None,
    split_index: int = 0,
    test_as: str = 'val',
    task: str = 'atomic',
    inclusive: bool = False,
    findings: list[Finding] | None = None,
) -> SEALAnnotations:
    """Read a pickle. Each tube becomes a tubelet with one instance, from its first frame to the end of its last.

    The format does not say who is who: tubes are numbered from 0 in each film, in the order of the file.

    Args:
        path (str | os.PathLike): File to read; nothing in it is run.
        videos (Videos | None): Films by ID, for their rates. Defaults to None.
        fps (float | None): Frames per second of films that are not in ``videos``. Defaults to None: they are refused.
        label_map (LabelMap | None): Classes, for their groups. Defaults to None, groups stay empty.
        split_index (int): Which split of the data set, from 0. Defaults to 0.
        test_as (str): Split that ``test_videos`` are. Defaults to 'val', what MultiSports publishes there.
        task (str): ``'atomic'`` or ``'complex'``. Defaults to 'atomic'.
        inclusive (bool): Whether x2 and y2 are the last pixels within the box. Defaults to False.
        findings (list[Finding] | None): Where given, wrong tubes are left out and told here. Defaults to None: refused.

    Raises:
        InputError: If the file is missing, no such pickle, holds anything but numbers, text and containers, or a tube
            is not (n, 5), not finite, out of order, outside its film, or has a box without area or an unknown class.
    """
    document = _load(path)
    collector = Collector(path, videos)
    splits = _splits(document, path, split_index, test_as)
    for vid in document['nframes']:
        try:
            facts = None if vid in collector.known else _facts(document, vid, fps, splits)
        except (TypeError, ValueError) as error:
            collector.wrong(f'nframes[{vid!r}]', 'act-film', str(error))
            continue
        video = collector.video(vid, facts)
        assert video is not None
        number = 0
        classes = document['gttubes'].get(vid, {})
        for label in classes:
            for index, tube in enumerate(classes[label]):
                try:
                    if not 0 <= int(label) < len(document['labels']):
                        raise ValueError(f'there is no class {label}')
                    frames, boxes = _columns(tube, video, inclusive)
                except (TypeError, ValueError) as error:
                    collector.wrong(f'gttubes[{vid!r}][{label}][{index}]', 'act-tube', str(error))
                    continue
                tid = collector.tubelet(vid, number, (frames, boxes, np.ones(len(frames)), np.zeros(len(frames))))
                group = label_map.group_of(int(label)) if label_map is not None and task == 'atomic' else ''
                start_s, end_s = float(frames[0] / video.fps), float((frames[-1] + 1) / video.fps)
                collector.rows[task].append((tid, int(label), group, start_s, min(end_s, video.duration_s)))
                number += 1
    for vid in document['gttubes']:
        if vid not in document['nframes']:
            collector.wrong(f'gttubes[{vid!r}]', 'act-film', 'is not in nframes')
    return collector.finish(findings)


def _load(path: str | os.PathLike) -> dict[str, Any]:
    document = load_pickle(path)
    missing = [key for key in KEYS if not isinstance(document, dict) or key not in document]
    if missing:
        raise InputError(f'{path}: has no {missing[0]!r}, is no ground truth of UCF101-24, JHMDB or MultiSports')
    for key, kind in (('labels', list), ('gttubes', dict), ('nframes', dict), ('resolution', dict)):
        if not isinstance(document[key], kind):
            raise InputError(f'{path}: {key} must be a {kind.__name__}')
    return document


def _splits(document: dict[str, Any], path: str | os.PathLike, index: int, test_as: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, split in zip(SPLITS, ('train', test_as)):
        lists = document.get(key, [])
        if not all(isinstance(names, list) for names in lists):
            raise InputError(f'{path}: {key} must hold a list of films for each split')
        if lists and not 0 <= index < len(lists):
            raise InputError(f'{path}: {key} has {len(lists)} splits, there is no split {index} (they count from 0)')
        found.update(dict.fromkeys(lists[index] if lists else [], split))
    return found


def _facts(document: dict[str, Any], vid: str, fps: float | None, splits: dict[str, str]) -> VideoRecord:
    if fps is None:
        raise ValueError('the rate of this film is not known, tell the films or the frames per second')
    if vid not in splits:
        raise ValueError('is neither in train_videos nor in test_videos of this split')
    if vid not in document['resolution']:
        raise ValueError('is not in resolution')
    height, width = (int(side) for side in document['resolution'][vid])
    frames = int(document['nframes'][vid])
    return VideoRecord('act', width, height, fps, frames, frames / fps, splits[vid])


def _columns(tube: Any, video: VideoRecord, inclusive: bool) -> tuple[np.ndarray, np.ndarray]:
    rows = np.asarray(tube, np.float64)
    if rows.ndim != 2 or rows.shape[1] != 5 or not len(rows):
        raise ValueError(f'must be (n, 5), not {rows.shape}')
    if not np.isfinite(rows).all() or (rows[:, 0] != np.floor(rows[:, 0])).any():
        raise ValueError('a number is not finite, or a frame not whole')
    frames, boxes = rows[:, 0].astype(np.int64) - 1, rows[:, 1:] + np.array([0, 0, 1, 1]) * inclusive
    if frames[0] < 0 or frames[-1] >= video.num_frames or (np.diff(frames) <= 0).any():
        span = f'{frames[0] + 1} to {frames[-1] + 1}'
        raise ValueError(f'frames {span} must increase from 1 to {video.num_frames} at most')
    flat = (boxes[:, 2:] <= boxes[:, :2]).any(axis=1)
    if flat.any():
        raise ValueError(f'the box of frame {frames[flat][0] + 1} has no area')
    return frames, boxes


def write_act_pkl(
    annotations: SEALAnnotations,
    path: str | os.PathLike,
    *,
    label_map: LabelMap | None = None,
    task: str = 'atomic',
    inclusive: bool = False,
) -> Losses:
    """Write a pickle (protocol 2) with one split: each instance becomes a tube of the boxes during it.

    Args:
        annotations (SEALAnnotations): Valid annotations; films of the split ``'train'`` are ``train_videos``, all
            others ``test_videos``.
        path (str | os.PathLike): File to write.
        label_map (LabelMap | None): Class names. Defaults to None: ``'<task> N'`` up to the highest class.
        task (str): ``'atomic'`` or ``'complex'``. Defaults to 'atomic'.
        inclusive (bool): Whether to write the last pixels within the box as x2 and y2. Defaults to False.

    Returns:
        Losses: What the file does not hold, counted.

    Raises:
        InputError: If an instance has a class that the label map does not have, or the file cannot be written.
    """
    table, by_tubelet = annotations.instances(task), annotations.rows_by_tubelet(task)
    classes = len(label_map) if label_map is not None else int(table.labels.max(initial=-1)) + 1
    if len(table) and table.labels.max() >= classes:
        raise InputError(f'{path}: not written, class {table.labels.max()} is not in the label map of {classes}')
    gttubes: dict[str, dict[int, list[np.ndarray]]] = {}
    unseen = 0
    used = np.zeros(len(annotations.boxes), bool)
    for vid, tids in annotations.tids_by_video().items():
        tubes: dict[int, list[np.ndarray]] = {}
        for tid in tids:
            rows = by_tubelet.get(tid, np.zeros(0, np.int64))
            track, key = annotations.track(tid), annotations.tubelets[tid].box_key
            firsts, ends = frames_of(table.start_s[rows], table.end_s[rows], annotations.videos[vid].fps)
            for label, first, end in zip(table.labels[rows].tolist(), firsts, ends):
                low, high = np.searchsorted(track.frame_inds, [first, end])
                if low == high:
                    unseen += 1
                    continue
                offset = annotations.boxes.rows(key).start
                used[offset + low : offset + high] = True
                boxes = track.boxes_px[low:high] - np.array([0, 0, 1, 1], np.float32) * inclusive
                tubes.setdefault(label, []).append(
                    np.column_stack([track.frame_inds[low:high] + 1, boxes]).astype(np.float32)
                )
        gttubes[str(vid)] = {label: tubes[label] for label in sorted(tubes)}
    films = annotations.videos.items()
    document = {
        'labels': [name_of(label_map, label, task) for label in range(classes)],
        'gttubes': gttubes,
        'nframes': {vid: int(video.num_frames) for vid, video in films},
        'resolution': {vid: (int(video.height), int(video.width)) for vid, video in films},
        'train_videos': [[vid for vid, video in films if video.split == 'train']],
        'test_videos': [[vid for vid, video in films if video.split != 'train']],
    }
    with atomic_path(path) as temporary, temporary.open('wb') as stream:
        pickle.dump(document, stream, protocol=2)
    other = annotations.instances('complex' if task == 'atomic' else 'atomic')
    return counted(
        {
            'boxes outside of actions': np.count_nonzero(own_boxes(annotations) & ~used),
            'instances without a box': unseen,
            'instances of the other task': len(other),
            'tubelets without an instance': len(set(annotations.tubelets) - set(by_tubelet)),
        }
    )
