"""Reader and writer of the SEAL schema: one JSON for each split, the boxes in an npz beside it.

    {"version": "seal-1", "boxes": "train_boxes.npz",
     "videos": {vid: {"source", "width", "height", "fps", "num_frames", "duration", "split", "shots": [[f0, f1]]}},
     "tubelets": {tid: {"vid", "person_id", "frame_range": [f0, f1], "box_key", "origin": [tid], "stage"}},
     "aa": [{"tid", "label", "group", "start", "end"}],
     "ca": [{"tid", "label", "start", "end"}]}

Ranges of frames are half open, times are seconds. A tubelet whose ID a reviewer let go on across a shot change has
``"across_shots": true``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from mmtube.errors import InputError
from mmtube.fileio import write_text

from ..io._common import text_of
from ..io._json import Node
from .annotations import SEALAnnotations
from .box_table import read_box_table, write_box_table
from .findings import Finding, refuse
from .records import InstanceTable, TubeletRecord, VideoRecord
from .table_rules import table_findings

VERSION = 'seal-1'
MAX_WHOLE = 2**53  # larger ones are not the same number in every program
Record = TypeVar('Record')


def boxes_path(path: str | os.PathLike) -> Path:
    """Return where the boxes of an annotation file are: ``train.json`` has ``train_boxes.npz``."""
    return Path(path).with_name(Path(path).stem + '_boxes.npz')


def write_seal_json(annotations: SEALAnnotations, path: str | os.PathLike) -> None:
    """Write annotations, one line for each record, and their boxes beside them. Equal ones give equal bytes.

    Raises:
        InputError: If a number is not finite or a file cannot be written.
    """
    videos = {
        vid: {
            'source': video.source,
            'width': video.width,
            'height': video.height,
            'fps': video.fps,
            'num_frames': video.num_frames,
            'duration': video.duration_s,
            'split': video.split,
            'shots': video.shots,
        }
        for vid, video in annotations.videos.items()
    }
    tubelets = {}
    for tid, tubelet in annotations.tubelets.items():
        tubelets[tid] = {
            'vid': tubelet.vid,
            'person_id': tubelet.person_id,
            'frame_range': tubelet.frame_range,
            'box_key': tubelet.box_key,
            'origin': tubelet.origin,
            'stage': tubelet.stage,
            **({'across_shots': True} if tubelet.across_shots else {}),
        }
    parts = [f'"version": "{VERSION}"', f'"boxes": {json.dumps(boxes_path(path).name)}']
    try:
        for name, records in (('videos', videos), ('tubelets', tubelets)):
            lines = [f'{json.dumps(key)}: {_line(record)}' for key, record in records.items()]
            parts.append(f'"{name}": {{\n' + ',\n'.join(lines) + '\n}')
        for name in ('aa', 'ca'):
            lines = [_line(record) for record in _instance_records(getattr(annotations, name), name)]
            parts.append(f'"{name}": [\n' + ',\n'.join(lines) + '\n]')
    except ValueError as error:
        raise InputError(f'{path}: not written, a number is not finite ({error})') from None
    write_box_table(annotations.boxes, boxes_path(path))
    write_text(path, '{' + ',\n'.join(parts) + '}\n')


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, allow_nan=False, default=lambda value: value.item())  # numbers of numpy are numbers


def _instance_records(table: InstanceTable, name: str) -> list[dict[str, Any]]:
    columns = (table.tids, table.labels, table.groups, table.start_s, table.end_s)
    return [
        {'tid': tid, 'label': label, **({'group': group} if name == 'aa' else {}), 'start': start, 'end': end}
        for tid, label, group, start, end in zip(*(column.tolist() for column in columns))
    ]


def read_seal_json(path: str | os.PathLike, *, findings: list[Finding] | None = None) -> SEALAnnotations:
    """Read annotations; the boxes are mapped, not read.

    Args:
        path (str | os.PathLike): The JSON. The boxes are in the file that it names, else in ``<stem>_boxes.npz``.
        findings (list[Finding] | None): Where given, records that cannot be read and rules that are broken are added
            here and reading goes on without those records. Defaults to None: the first one raises.

    Returns:
        SEALAnnotations: Named by ``path``.

    Raises:
        InputError: If the file is missing, not JSON, of another version, lacks a part, or, without ``findings``, if
            a record is wrong: one line that names the place, the value and how many others there are.
    """
    found: list[Finding] = []
    root = _parse(path, found)
    if 'version' in root and root['version'].value != VERSION:
        raise root['version'].error(f'must be "{VERSION}", not {json.dumps(root["version"].value)[:40]}')
    beside = root['boxes'].text() if 'boxes' in root else boxes_path(path).name
    if beside in ('', '.', '..') or Path(beside).name != beside:
        raise root['boxes'].error(f'must be the name of a file beside this one, not {json.dumps(beside)[:40]}')
    boxes = read_box_table(Path(path).with_name(beside))
    annotations = SEALAnnotations(
        _records(root['videos'], _video, found),
        _records(root['tubelets'], _tubelet, found),
        _instances(root, 'aa', found),
        _instances(root, 'ca', found),
        boxes,
        str(path),
    )
    found += table_findings(annotations, read_findings=found)
    if findings is None:
        refuse(found)
    else:
        findings += found
    return annotations


def _parse(path: str | os.PathLike, found: list[Finding]) -> Node:
    """Parse the document; a key that stands twice is a finding, because ``json`` would keep the last one only."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = sorted({key for key in keys if keys.count(key) > 1})
            cause = 'the ID stands twice in the file'
            found.extend(Finding(str(path), json.dumps(key), 'duplicate-id', cause) for key in twice)
        return result

    text = text_of(path)
    try:
        root = Node(path, '', json.loads(text, object_pairs_hook=unique))
    except json.JSONDecodeError as error:
        cause = 'is empty' if not text.strip() else f'is not JSON, or is cut off ({error.msg})'
        raise InputError(f'{path}:{error.lineno}: {cause}') from None
    except RecursionError:
        raise InputError(f'{path}: is nested too deeply') from None
    for name in ('videos', 'tubelets'):
        root[name]._of(dict)
    for name in ('aa', 'ca'):
        if name in root:
            root[name]._of(list)
    return root


def _records(parent: Node, make: Callable[[Any], Record], found: list[Finding]) -> dict[str, Record]:
    records = {}
    for key, value in parent.value.items():
        record, cause = _attempt(make, value)
        if record is None:
            found.append(Finding(str(parent.path), f'{parent.where}[{json.dumps(key)}]', 'record', cause))
        else:
            records[key] = record
    return records


def _attempt(make: Callable[[Any], Record], value: Any) -> tuple[Record | None, str]:
    try:
        return make(value), ''
    except KeyError as error:
        return None, f'{error} is missing'
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        return None, f'cannot be read: {error}'


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        raise ValueError(f'{name} must be a whole number, not {json.dumps(value)[:40]}')
    if abs(value) > MAX_WHOLE:
        raise ValueError(f'{name} is out of range: {value}')
    return int(value)


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f'{name} must be a number, not {json.dumps(value)[:40]}')
    return float(value)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f'{name} must be a text, not {json.dumps(value)[:40]}')
    return value


def _range(value: Any, name: str) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f'{name} must be two frames, not {json.dumps(value)[:40]}')
    return _whole(value[0], name), _whole(value[1], name)


def _video(value: dict[str, Any]) -> VideoRecord:
    return VideoRecord(
        _text(value['source'], 'source'),
        _whole(value['width'], 'width'),
        _whole(value['height'], 'height'),
        _number(value['fps'], 'fps'),
        _whole(value['num_frames'], 'num_frames'),
        _number(value['duration'], 'duration'),
        _text(value['split'], 'split'),
        tuple(_range(shot, 'shots') for shot in value.get('shots', [])),
    )


def _tubelet(value: dict[str, Any]) -> TubeletRecord:
    return TubeletRecord(
        _text(value['vid'], 'vid'),
        _whole(value['person_id'], 'person_id'),
        _range(value['frame_range'], 'frame_range'),
        _text(value['box_key'], 'box_key'),
        tuple(_text(tid, 'origin') for tid in value.get('origin', [])),
        _whole(value.get('stage', 4), 'stage'),
        value.get('across_shots', False) is True,
    )


def _instances(root: Node, name: str, found: list[Finding]) -> InstanceTable:
    def make(value: dict[str, Any]) -> tuple[str, int, str, float, float]:
        group = _text(value['group'], 'group') if name == 'aa' else ''
        label, start_s, end_s = _whole(value['label'], 'label'), value['start'], value['end']
        return _text(value['tid'], 'tid'), label, group, _number(start_s, 'start'), _number(end_s, 'end')

    rows = []
    for number, value in enumerate(root[name].value if name in root else []):
        row, cause = _attempt(make, value)
        if row is None:
            found.append(Finding(str(root.path), f'{name}[{number}]', 'record', cause))
        else:
            rows.append(row)
    return InstanceTable.from_rows(rows)
