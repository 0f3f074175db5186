"""Reader of "CVAT for video 1.1": what :mod:`.cvat` wrote, after people have corrected it, or tracks of others."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from mmtube.errors import InputError

from ..annotations import SEALAnnotations
from ..box_table import INTERPOLATED
from ..findings import Finding
from ..label_map import LabelMap
from ..records import VideoRecord
from ._common import Collector, Videos
from ._cvat_xml import CvatRow, CvatTrack, cvat_items
from .cvat import ACTIVITY, GROUP_ATTRIBUTES, LABEL, NEW, SEPARATOR, UNSEEN

ATTRIBUTE_GROUPS = {attribute: group for group, attribute in GROUP_ATTRIBUTES.items()}
NUMBERED = re.compile(r'(atomic|complex) (\d{1,9})')
SUBSETS = {'train': 'train', 'training': 'train', 'val': 'val', 'validation': 'val', 'test': 'test', 'testing': 'test'}


def read_cvat(
    path: str | os.PathLike,
    videos: Videos | None = None,
    *,
    fps: float | None = None,
    label_maps: Mapping[str, LabelMap] | None = None,
    split: str = 'train',
    stage: int = 4,
    label: str = LABEL,
    findings: list[Finding] | None = None,
) -> SEALAnnotations:
    """Read tracks that were made or corrected in CVAT, as tubelets.

    A film is named by its task, else by its source file without the suffix, else by the XML; the first of these that
    ``videos`` knows. Where two boxes of a track are more than a frame apart and the track is not outside in between,
    the boxes between are filled in as CVAT does, on a straight line, and marked as interpolated, as are boxes that are
    no key frames or are occluded.

    An action lasts as long as its name stands in the text of its group, to the next frame that the file has. While the
    person is not seen, a name counts if it is marked ``(unseen)``; without the mark (CVAT repeats the text of the last
    box there) it counts if the action goes on in the next box. All scores are 1.

    Args:
        path (str | os.PathLike): An XML of a task, job or project, or a folder of them.
        videos (Videos | None): Films by ID; what they say goes before the file. Defaults to None.
        fps (float | None): Frames per second of films whose rate neither says. Defaults to None: they are refused.
        label_maps (Mapping[str, LabelMap] | None): Label maps by task. Defaults to None: classes must be named
            ``'<task> N'``.
        split (str): Split of films that ``videos`` does not know and whose subset says nothing. Defaults to 'train'.
        stage (int): Step of the annotation that the tubelets stand for. Defaults to 4.
        label (str): CVAT label of the people; tracks of others are left out. Defaults to 'person'.
        findings (list[Finding] | None): Where given, wrong tracks and unknown actions are left out and told here.
            Defaults to None: refused.

    Raises:
        InputError: If a file is missing, no such XML, cut off or has a document type, or a track has something that is
            no box, a wrong number, two boxes in a frame, or an action that the label map does not have.
    """
    collector = Collector(path, videos)
    home = Path(path)
    files = sorted(home.rglob('*.xml')) if home.is_dir() else [home]
    if not files:
        raise InputError(f'{path}: has no .xml')
    classes = {
        task: {name: index for index, name in enumerate(label_map.names)}
        for task, label_map in (label_maps or {}).items()
    }
    for file in files:
        known = file.relative_to(home).with_suffix('').as_posix() if home.is_dir() else file.stem
        tasks: dict[str, str] = {}
        for item in cvat_items(file):
            if isinstance(item, CvatTrack):
                if item.label == label:
                    _add_track(collector, file, item, tasks, classes, label_maps or {}, stage)
            else:
                vid, facts = _film(item, known, collector, fps, split)
                if facts is None and vid not in collector.known:
                    raise InputError(f'{file}: size, length or rate of {vid!r} are not known, tell the films')
                collector.video(vid, facts)
                tasks[item.get('id', '')] = vid
    return collector.finish(findings)


def _film(
    facts: dict[str, str], known: str, collector: Collector, fps: float | None, split: str
) -> tuple[str, VideoRecord | None]:
    names = [name for name in (facts.get('name', ''), Path(facts.get('source', '')).stem, known) if name]
    vid = next((name for name in names if name in collector.known), names[0])
    try:
        rate = fps if fps is not None else float(facts['fps'])
        frames = int(facts['stop_frame']) + 1 if facts.get('stop_frame') else int(facts['size'])
        width, height = int(facts['width']), int(facts['height'])
        if not 0 < rate < np.inf:
            raise ValueError
    except (KeyError, ValueError):
        return vid, None
    split = SUBSETS.get(facts.get('subset', '').lower(), split)
    return vid, VideoRecord('cvat', width, height, rate, frames, frames / rate, split)


def _add_track(
    collector: Collector,
    file: Path,
    track: CvatTrack,
    tasks: dict[str, str],
    classes: dict[str, dict[str, int]],
    label_maps: Mapping[str, LabelMap],
    stage: int,
) -> None:
    where = f'track {track.number}'
    vid = tasks.get(track.task_id) or (next(iter(tasks.values())) if len(tasks) == 1 else '')
    if not vid:
        told = f'is of task {track.task_id!r}, which the file does not describe'
        collector.wrong(where, 'cvat-track', told if tasks or track.task_id else 'the file describes no task', file)
        return
    video = collector.videos[vid]
    track.rows.sort(key=lambda row: row.frame)
    frames = [row.frame for row in track.rows]
    fixed: dict[str, str] = {}
    for row in track.rows:
        fixed.update((name, text.strip()) for name, text in row.attributes.items())
    person = fixed.get('person_id') or track.number
    twice = [one for one, other in pairwise(frames) if one == other]
    if frames and not track.wrong:
        if twice:
            track.wrong = f'has two boxes in frame {twice[0]}'
        elif frames[0] < 0 or frames[-1] >= video.num_frames:
            track.wrong = f'frames {frames[0]} to {frames[-1]} go beyond the {video.num_frames} of the film'
        elif not (person.isdecimal() and len(person) < 16):
            track.wrong = f'person_id is {person!r}, it must be a whole number'
    if track.wrong:
        collector.wrong(where, 'cvat-track', track.wrong, file)
        return
    if all(row.outside for row in track.rows):
        return
    tid = collector.tubelet(
        vid,
        int(person),
        _track_columns(track.rows),
        tid=fixed.get('tubelet', ''),
        origin=tuple(filter(None, (part.strip() for part in fixed.get('origin', '').split(SEPARATOR)))),
        stage=stage,
        across_shots=fixed.get('across_shots', '').lower() == 'true',
    )
    for (attribute, name), first, end in _instances(track.rows, video.num_frames):
        task = 'complex' if attribute == ACTIVITY else 'atomic'
        numbered = NUMBERED.fullmatch(name)
        label = classes.get(task, {}).get(name)
        if label is None and numbered and numbered[1] == task:
            label = int(numbered[2])
        if label is None:
            cause = f'there is no class {name!r} in the label map of {attribute}'
            collector.wrong(f'{where} frame {first}', 'cvat-action', cause, file)
            continue
        group = label_maps[task].group_of(label) if task in label_maps else ATTRIBUTE_GROUPS.get(attribute, '')
        start_s, end_s = first / video.fps, min(end / video.fps, video.duration_s)
        collector.rows[task].append((tid, label, group if task == 'atomic' else '', start_s, end_s))


def _track_columns(rows: list[CvatRow]) -> tuple:
    """Return frames, boxes, scores and flags; what lies between boxes without a mark is filled in."""
    shown = [row for row in rows if not row.outside]
    frames = np.array([row.frame for row in shown])
    flags = np.array([row.flags for row in shown])
    spans = [np.arange(one.frame + 1, other.frame) for one, other in pairwise(rows) if not one.outside]
    filled = np.concatenate([np.zeros(0, np.int64), *spans])
    known, corners = [row.frame for row in rows], np.array([row.box for row in rows])
    between = np.stack([np.interp(filled, known, corners[:, side]) for side in range(4)], axis=1)
    order = np.argsort(np.concatenate([frames, filled]), kind='stable')
    boxes = np.concatenate([np.array([row.box for row in shown]), between])
    flags = np.concatenate([flags, np.full(len(filled), INTERPOLATED)])
    return np.concatenate([frames, filled])[order], boxes[order], np.ones(len(order)), flags[order]


def _instances(rows: list[CvatRow], num_frames: int) -> Iterator[tuple[tuple[str, str], int, int]]:
    """Yield attribute and name, first frame and end of each instance, in the order of their beginnings."""
    open_since: dict[tuple[str, str], int] = {}
    texts: dict[str, str] = {}
    found: list[tuple[int, int, tuple[str, str]]] = []
    states: list[tuple[int, bool, dict[tuple[str, str], tuple[bool, bool]]]] = []
    for row in rows:
        texts.update({name: text for name, text in row.attributes.items() if name in (*ATTRIBUTE_GROUPS, ACTIVITY)})
        states.append((row.frame, row.outside, dict(names_in(texts))))
    ahead: set[tuple[str, str]] = set()
    following: list[set[tuple[str, str]]] = [set()] * len(states)
    for index in range(len(states) - 1, -1, -1):
        following[index] = ahead
        if not states[index][1]:
            ahead = set(states[index][2])
    for (frame, outside, names), next_names in zip(states, following):
        now = {
            key: new
            for key, (new, unseen) in names.items()
            if not outside or unseen or (key in next_names and key in open_since)
        }
        ended = [key for key in open_since if key not in now or now[key]]
        found += [(open_since.pop(key), frame, key) for key in ended]
        for key in now:
            open_since.setdefault(key, frame)
    if states:
        end = num_frames if states[-1][1] else states[-1][0] + 1
        found += [(first, end, key) for key, first in open_since.items()]
    for first, end, key in sorted(found):
        yield key, first, end


def names_in(texts: dict[str, str]) -> Iterator[tuple[tuple[str, str], tuple[bool, bool]]]:
    """Yield attribute and class name, and whether an instance begins anew and the person is not seen."""
    for attribute, text in texts.items():
        for part in text.split(SEPARATOR):
            name = part.strip()
            unseen = name.endswith(UNSEEN)
            name = name.removesuffix(UNSEEN)
            new = name.endswith(NEW)
            if name:
                yield (attribute, name.removesuffix(NEW)), (new, unseen)
