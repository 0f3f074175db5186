"""ActivityNet annotations: what happens when in whole films, without people.

    {"version": "VERSION 1.3", "database": {vid: {"subset": "training", "duration": 82.7, "resolution": "640x360",
     "annotations": [{"segment": [start, end], "label": name}]}}}

Times are seconds. ``database`` may be missing around the films, as in copies of single subsets. Our key
``<vid>#<person>`` stands for one person of a film, as in the results of ``mmtube.structures.io``.
"""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.ops import merge_segments

from ...io._json import Node, read_json, write_json
from ..annotations import SEALAnnotations
from ..findings import Finding
from ..label_map import LabelMap
from ..records import VideoRecord
from ._common import Collector, Losses, Videos, counted, name_of, own_boxes

VERSION = 'VERSION 1.3'
SUBSETS = {'training': 'train', 'validation': 'val', 'testing': 'test'}
PERSON = re.compile(r'(.+)#(\d{1,15})', re.DOTALL)
RESOLUTION = re.compile(r'(\d{1,6})\s*[xX]\s*(\d{1,6})')
OVERSHOOT_S = 0.5  # durations are rounded, so a segment may end a little after its film


def activitynet_label_map(path: str | os.PathLike, task: str = 'complex') -> LabelMap:
    """Return the classes that occur in a file, sorted by name, as ActivityNet orders its 200.

    Raises:
        InputError: If the file is missing or not of this form.
    """
    entries = _entries(path)
    nodes = (note['label'] for _, entry in entries.items() if 'annotations' in entry for note in entry['annotations'])
    return LabelMap(task, tuple(sorted({node.text() for node in nodes})))


def _entries(path: str | os.PathLike) -> Node:
    root = read_json(path)
    if 'database' in root:
        return root['database']
    return root


def read_activitynet(
    path: str | os.PathLike,
    videos: Videos | None = None,
    *,
    label_map: LabelMap | None = None,
    task: str = 'complex',
    fps: float = 25.0,
    frame_size: tuple[int, int] | None = None,
    findings: list[Finding] | None = None,
) -> SEALAnnotations:
    """Read annotations of whole films.

    A film becomes one tubelet ``<vid>.0`` of person 0 that spans the film and has no boxes: its box key is there, with
    no row. Entries ``<vid>#<person>`` become the tubelets of one film. A segment that ends up to half a second after
    its film is cut there.

    Args:
        path (str | os.PathLike): File to read.
        videos (Videos | None): Films by ID; what they say goes before the file. Defaults to None.
        label_map (LabelMap | None): Classes. Defaults to None, those that occur, sorted.
        task (str): ``'atomic'`` or ``'complex'``. Defaults to 'complex'.
        fps (float): Frames per second of films that are not in ``videos``; the format has none. Defaults to 25, the
            rate of SEAL.
        frame_size (tuple[int, int] | None): Width and height of films whose ``resolution`` is missing. Defaults to
            None: they are refused.
        findings (list[Finding] | None): Where given, wrong entries are left out and told here. Defaults to None:
            refused.

    Raises:
        InputError: If the file is missing or not of this form, or a segment is reversed, empty or outside its film, or
            of an unknown class; the message names the place in the document.
    """
    label_map = label_map or activitynet_label_map(path, task)
    classes = {name: label for label, name in enumerate(label_map.names)}
    collector = Collector(path, videos)

    def attempt(node: Node, make: Any, *args: Any) -> Any:
        try:
            return make(node, *args)
        except InputError as error:
            cause = str(error).removeprefix(f'{path}: ').removeprefix(f'{node.where}: ')
            collector.wrong(node.where, 'activitynet-entry', cause)
            return None

    for key, node in _entries(path).items():
        match = PERSON.fullmatch(key)
        vid, person = (match[1], int(match[2])) if match else (key, 0)
        if vid not in collector.known:
            facts = attempt(node, _facts, fps, frame_size)
            if facts is None:
                continue
        video = collector.video(vid, None if vid in collector.known else facts)
        assert video is not None
        tid = collector.tubelet(vid, person, ([], np.zeros((0, 4)), [], []))
        for note in (attempt(node, lambda node: list(node['annotations'])) or []) if 'annotations' in node else []:
            found = attempt(note, _segment, classes, video.duration_s)
            if found is not None:
                label, start_s, end_s = found
                group = label_map.group_of(label) if task == 'atomic' else ''
                collector.rows[task].append((tid, label, group, start_s, end_s))
    return collector.finish(findings)


def _facts(node: Node, fps: float, frame_size: tuple[int, int] | None) -> VideoRecord:
    duration_s = node['duration'].number()
    if duration_s <= 0:
        raise node['duration'].error(f'must be positive, not {duration_s:g}')
    subset = node['subset'].text() if 'subset' in node else 'training'
    size = RESOLUTION.fullmatch(node['resolution'].text().strip()) if 'resolution' in node else None
    if size is None and frame_size is None:
        raise node.error('the size of this film is not known, tell the films or a size')
    width, height = map(int, size.groups()) if size else frame_size  # type: ignore[misc]
    frames = max(round(duration_s * fps), 1)
    return VideoRecord('anet', width, height, fps, frames, duration_s, SUBSETS.get(subset, subset))


def _segment(node: Node, classes: dict[str, int], duration_s: float) -> tuple[int, float, float]:
    name = node['label'].text()
    if name not in classes:
        raise node['label'].error(f'there is no class {name!r} in the label map')
    start_s, end_s = node['segment'].array(np.float64, (2,)).tolist()
    if not 0 <= start_s < end_s or end_s > duration_s + OVERSHOOT_S or start_s >= duration_s:
        raise node['segment'].error(f'{start_s:g} to {end_s:g} s is no part of a film of {duration_s:g} s')
    return classes[name], start_s, min(end_s, duration_s)


def write_activitynet(
    annotations: SEALAnnotations,
    path: str | os.PathLike,
    *,
    label_map: LabelMap | None = None,
    task: str = 'complex',
    per_person: bool = False,
) -> Losses:
    """Write what happens when in each film.

    Args:
        annotations (SEALAnnotations): Valid annotations.
        path (str | os.PathLike): File to write.
        label_map (LabelMap | None): Class names. Defaults to None: ``'<task> N'``.
        task (str): ``'atomic'`` or ``'complex'``. Defaults to 'complex'.
        per_person (bool): Whether to write an entry ``<vid>#<person>`` for each person, with the instances of all
            tubelets as they are. Defaults to False: an entry for each film, with the union over the people; instances
            of one class that touch become one.

    Returns:
        Losses: What the file does not hold, counted.

    Raises:
        InputError: If the file cannot be written.
    """
    table, by_tubelet = annotations.instances(task), annotations.rows_by_tubelet(task)
    database: dict[str, Any] = {}
    written = entries = 0
    for vid, tids in annotations.tids_by_video().items():
        video = annotations.videos[vid]
        groups: dict[str, list[str]] = {} if per_person else {vid: tids}
        for tid in tids if per_person else ():
            groups.setdefault(f'{vid}#{annotations.tubelets[tid].person_id}', []).append(tid)
        for key, members in groups.items():
            rows = [row for tid in members for row in by_tubelet.get(tid, np.zeros(0, np.int64)).tolist()]
            found = [(float(table.start_s[row]), float(table.end_s[row]), int(table.labels[row])) for row in rows]
            if not per_person:
                spans, labels = np.array(found, np.float64).reshape(-1, 3)[:, :2], [label for *_, label in found]
                found = [
                    (start, end, label)
                    for label in set(labels)
                    for start, end in merge_segments(spans[np.array(labels) == label]).tolist()
                ]
            written += len(found)
            entries += 1
            database[key] = {
                'subset': {split: subset for subset, split in SUBSETS.items()}.get(video.split, video.split),
                'duration': float(video.duration_s),
                'resolution': f'{video.width}x{video.height}',
                'annotations': [
                    {'segment': [start, end], 'label': name_of(label_map, label, task)}
                    for start, end, label in sorted(found)
                ],
            }
    write_json({'version': VERSION, 'database': database}, path)
    other = annotations.instances('complex' if task == 'atomic' else 'atomic')
    return counted(
        {
            'boxes': own_boxes(annotations).sum(),
            'tubelets joined': max(len(annotations.tubelets) - entries, 0),
            'instances joined': len(table) - written,
            'instances of the other task': len(other),
        }
    )
