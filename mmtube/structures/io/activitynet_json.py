"""ActivityNet json: what happens when, for the evaluation of temporal detection.

``results`` has one entry for each tube, under the name ``<video>#<track_id>``, so that a tube takes the place that a
video has in ActivityNet. Each detection also says its ``task``; evaluation scripts pass over that key, but they know
the classes of one task only, so a file to be scored is written with one ``task``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmtube.errors import InputError

from ..tube import TASKS, Segment
from ..video_result import VideoInfo, VideoResult
from ._common import check_writable, tube_without_boxes, video_id_of
from ._json import Node, read_json, write_json

VERSION = 'VERSION 1.3'
KEY = re.compile(r'(.*)#(\d{1,15})', re.DOTALL)


def write_activitynet_json(result: VideoResult, path: str | os.PathLike, *, task: str | None = None) -> None:
    """Write the segments of a film, best first in each tube. Boxes and clip scores are not kept.

    Args:
        result (VideoResult): The film. Its label maps are written too, under ``label_maps``, so that labels come back
            as the same numbers; a label that no map names is written as ``'<task> <number>'``.
        path (str | os.PathLike): File to write.
        task (str | None): ``'atomic'`` or ``'complex'`` for one task only. Defaults to None, both.

    Raises:
        InputError: If a number is not finite, a label map names two classes alike, or the file cannot be written.
        ValueError: If the task is unknown.
    """
    if task not in (None, *TASKS):
        raise ValueError(f'task must be one of {TASKS} or None, got {task!r}')
    check_writable(result, path)
    tasks = TASKS if task is None else (task,)
    label_maps = {name: list(result.label_maps[name]) for name in tasks if name in result.label_maps}
    for name, labels in label_maps.items():
        if len(set(labels)) < len(labels):
            twice = max(labels, key=labels.count)
            raise InputError(f'{path}: not written, the label map {name} names {twice!r} twice')
    video_id = video_id_of(result)
    results = {
        f'{video_id}#{tube.track_id}': [
            {
                'label': result.label_name(segment.task, segment.label),
                'score': float(segment.score),
                'segment': [float(segment.start_s), float(segment.end_s)],
                'task': segment.task,
            }
            for segment in sorted(tube.segments, key=lambda segment: -segment.score)
            if segment.task in tasks
        ]
        for tube in result.tubes
    }
    write_json({'version': VERSION, 'external_data': {}, 'label_maps': label_maps, 'results': results}, path)


def read_activitynet_json(
    path: str | os.PathLike,
    *,
    video_id: str | None = None,
    label_maps: Mapping[str, Sequence[str]] | None = None,
    task: str = 'atomic',
) -> VideoResult:
    """Read the segments of one film as tubes without boxes.

    Args:
        path (str | os.PathLike): File to read.
        video_id (str | None): Which film, where the file has several. Defaults to None, the only one.
        label_maps (Mapping[str, Sequence[str]] | None): Class names by task. Defaults to None, those in the file; for
            a task without any, the names that occur, sorted.
        task (str): Task of the detections that do not say theirs. Defaults to ``'atomic'``.

    Returns:
        VideoResult: Tubes in the order of the file, their segments too; the video is named by its ID.

    Raises:
        InputError: If the file is missing, empty, cut off or not of this form, has several films, or names a class
            that the label map does not have; the message names the place in the document.
    """
    root = read_json(path)
    entries: list[tuple[str, int, Node]] = []
    for key, node in root['results'].items():
        match = KEY.fullmatch(key)
        if match is None:
            raise node.error('is not named <video>#<track id>')
        entries.append((match[1], int(match[2]), node))
    found = sorted({name for name, _, _ in entries})
    if video_id is None and len(found) > 1:
        raise InputError(f'{path}: holds {len(found)} films, video_id must say which one')
    if video_id is not None and found and video_id not in found:
        raise InputError(f'{path}: has no tube of {video_id}')
    name = video_id if video_id is not None else (found[0] if found else Path(path).stem)
    tracks = {track_id: list(node) for video, track_id, node in entries if video == name}

    if label_maps is None:
        inside = root['label_maps'].items() if 'label_maps' in root else ()
        label_maps = {key: [label.text() for label in labels] for key, labels in inside}
    names = {key: list(labels) for key, labels in label_maps.items()}
    detections = [node for nodes in tracks.values() for node in nodes]
    for key in TASKS:
        occurring = {node['label'].text() for node in detections if _task(node, task) == key}
        if key not in names and not all(_number(key, label) is not None for label in occurring):
            names[key] = sorted(occurring)
    index = {
        key: {label: number for number, label in reversed(list(enumerate(labels)))} for key, labels in names.items()
    }
    tubes = [
        tube_without_boxes(track_id, [_segment(node, _task(node, task), index) for node in nodes])
        for track_id, nodes in tracks.items()
    ]
    return VideoResult(VideoInfo(name, 0, 0, 0.0, 0, 0.0), tubes, label_maps=names)


def _task(node: Node, default: str) -> str:
    return node['task'].text() if 'task' in node else default


def _number(task: str, label: str) -> int | None:
    """Return N for ``'<task> N'``, the name of a label that no label map names."""
    number = label.removeprefix(f'{task} ')
    return int(number) if number != label and number.isdecimal() and len(number) < 16 else None


def _segment(node: Node, task: str, index: Mapping[str, Mapping[str, int]]) -> Segment:
    text = node['label'].text()
    known = index.get(task, {})
    label = known[text] if text in known else _number(task, text)
    if label is None:
        raise node['label'].error(f'{text!r} is not in the label map of {task}')
    start_s, end_s = node['segment'].array(float, (2,)).tolist()
    return node.build(Segment, start_s, end_s, label, node['score'].number(), task)
