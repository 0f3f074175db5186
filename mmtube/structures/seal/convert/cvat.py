"""Annotations for CVAT 2: a "CVAT for video 1.1" file for each film, to be corrected there and read back.

A tubelet is a ``<track>``; every box of it is a key frame, because CVAT interpolates between key frames and passes
over boxes without the mark. Where the person is not seen the track is ``outside``. What CVAT keeps of a box is its
place, its frame, ``occluded`` and its attributes, so all else is an attribute:

- ``person_id``, ``tubelet`` (our ID), ``origin`` and ``across_shots`` do not change within a track.
- ``pose``, ``person_person``, ``person_object``, or ``action`` without groups, list the atomic actions of the frame,
  and ``activity`` the complex ones: class names with semicolons between them. To correct an action, edit this text.
- ``head_visible`` is a check box. ``occluded`` marks boxes that were filled in.

In a frame without a box the text says ``walk (unseen)``; a second instance of a class that begins where the first one
ends says ``walk (new)`` in its first frame.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import atomic_path, write_text

from ..annotations import SEALAnnotations
from ..box_table import EDITED, HEAD_VISIBLE, INTERPOLATED
from ..label_map import LabelMap
from ..records import VideoRecord
from ._common import Losses, counted, film_file, frames_of, name_of, own_boxes

LABEL = 'person'
LABELS_FILE = 'labels.json'
GROUP_ATTRIBUTES = {'pose': 'pose', 'pp': 'person_person', 'po': 'person_object', '': 'action'}
ACTIVITY = 'activity'
SEPARATOR, UNSEEN, NEW = ';', ' (unseen)', ' (new)'
MAX_PERSON = 999_999
NOT_XML = re.compile('[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]')

Names = list[tuple[str, bool]]  # class names that hold in a frame, and whether an instance of this class begins anew


def write_cvat(
    annotations: SEALAnnotations,
    folder: str | os.PathLike,
    *,
    label_maps: Mapping[str, LabelMap] | None = None,
    suffix: str = '.mp4',
) -> Losses:
    """Write ``<vid>.xml`` for each film, and ``labels.json``, which the raw editor of CVAT's labels takes.

    Boxes are written to a thousandth of a pixel, edges of instances to the nearest frame.

    Args:
        annotations (SEALAnnotations): Valid annotations.
        folder (str | os.PathLike): Folder to write.
        label_maps (Mapping[str, LabelMap] | None): Label maps by task. Defaults to None: classes are named
            ``'<task> N'``.
        suffix (str): Of the films' file names. Defaults to '.mp4'.

    Returns:
        Losses: What the files do not hold, counted.

    Raises:
        InputError: If a class name holds a semicolon or ends in a mark, or a file cannot be written.
    """
    maps = dict(label_maps or {})
    for label_map in maps.values():
        for name in label_map.names:
            if SEPARATOR in name or NOT_XML.search(name) or name.endswith((UNSEEN, NEW)) or name != name.strip():
                raise InputError(f'{folder}: not written, CVAT cannot hold the class name {name!r}')
    groups = maps['atomic'].groups if 'atomic' in maps else np.unique(annotations.aa.groups).tolist()
    texts = [GROUP_ATTRIBUTES[group] for group in GROUP_ATTRIBUTES if group in groups] or [GROUP_ATTRIBUTES['']]
    origin = any(tubelet.origin for tubelet in annotations.tubelets.values())
    highest = max((tubelet.person_id for tubelet in annotations.tubelets.values()), default=0)
    specs = _specs([*texts, ACTIVITY], origin, max(highest, MAX_PERSON))
    labels = [{'name': LABEL, 'type': 'rectangle', 'attributes': specs}]
    write_text(film_file(folder, LABELS_FILE, ''), json.dumps(labels, indent=1) + '\n')
    bare = overlapping = 0
    for vid, tids in annotations.tids_by_video().items():
        video = annotations.videos[vid]
        if NOT_XML.search(vid):
            raise InputError(f'{folder}: not written, XML cannot hold the film ID {vid!r}')
        with (
            atomic_path(film_file(folder, vid, '.xml')) as temporary,
            temporary.open('w', encoding='utf-8', newline='\n') as stream,
        ):
            stream.write(_head(vid, video, specs, suffix))
            number = 0
            for tid in tids:
                if not len(annotations.track(tid).frame_inds):
                    bare += 1
                    continue
                states, clashes = _states(annotations, tid, maps)
                overlapping += clashes
                stream.write(f'  <track id="{number}" label="{LABEL}" source="manual">\n')
                stream.writelines(_boxes(annotations, tid, states, texts, origin))
                stream.write('  </track>\n')
                number += 1
            stream.write('</annotations>\n')
    own = own_boxes(annotations)
    return counted(
        {
            'tubelets without boxes': bare,
            'instances that overlap one of their class': overlapping,
            'scores': np.count_nonzero(own & (annotations.boxes.scores != 1)),
            'marks of edited boxes': np.count_nonzero(annotations.boxes.flags[own] & EDITED),
        }
    )


def _specs(texts: list[str], origin: bool, highest: int) -> list[dict]:
    """Return the attributes of the label as CVAT's label editor takes them."""

    def spec(name: str, mutable: bool, input_type: str, default: str, values: list[str]) -> dict:
        values = values or [default]
        return dict(name=name, mutable=mutable, input_type=input_type, default_value=default, values=values)

    return [
        spec('person_id', False, 'number', '0', ['0', str(highest), '1']),
        spec('tubelet', False, 'text', '', []),
        *([spec('origin', False, 'text', '', [])] if origin else []),
        spec('across_shots', False, 'checkbox', 'false', []),
        spec('head_visible', True, 'checkbox', 'false', []),
        *(spec(name, True, 'text', '', []) for name in texts),
    ]


def _head(vid: str, video: VideoRecord, specs: list[dict], suffix: str) -> str:
    lines = ['<?xml version="1.0" encoding="utf-8"?>', '<annotations>', '  <version>1.1</version>', '  <meta>']
    lines += ['    <task>', f'      <name>{escape(vid)}</name>', f'      <size>{video.num_frames}</size>']
    lines += ['      <mode>interpolation</mode>', '      <overlap>0</overlap>', '      <bugtracker></bugtracker>']
    lines += [f'      <subset>{escape(video.split)}</subset>', '      <start_frame>0</start_frame>']
    lines += [f'      <stop_frame>{video.num_frames - 1}</stop_frame>', '      <frame_filter></frame_filter>']
    lines += [
        '      <labels>',
        '        <label>',
        f'          <name>{LABEL}</name>',
        '          <type>rectangle</type>',
    ]
    lines += ['          <attributes>']
    for spec in specs:
        lines += ['            <attribute>', f'              <name>{spec["name"]}</name>']
        lines += [f'              <mutable>{spec["mutable"]}</mutable>']
        lines += [f'              <input_type>{spec["input_type"]}</input_type>']
        lines += [f'              <default_value>{spec["default_value"]}</default_value>']
        values = '\n'.join(spec['values'])
        lines += [f'              <values>{values}</values>', '            </attribute>']
    lines += ['          </attributes>', '        </label>', '      </labels>', '      <original_size>']
    lines += [f'        <width>{video.width}</width>', f'        <height>{video.height}</height>']
    lines += ['      </original_size>', '    </task>', f'    <source>{escape(vid.split("/")[-1] + suffix)}</source>']
    lines += [f'    <fps>{float(video.fps)!r}</fps>', '  </meta>']
    return '\n'.join(lines) + '\n'


def _states(
    annotations: SEALAnnotations, tid: str, maps: Mapping[str, LabelMap]
) -> tuple[dict[int, dict[str, Names]], int]:
    """Return what holds from which frame on, by attribute, and how many instances overlap one of their class."""
    video = annotations.videos[annotations.tubelets[tid].vid]
    spans: list[tuple[int, int, str, str]] = []
    for task in ('atomic', 'complex'):
        table, rows = annotations.instances(task), annotations.rows_by_tubelet(task).get(tid, np.zeros(0, np.int64))
        firsts, ends = frames_of(table.start_s[rows], table.end_s[rows], video.fps)
        for row, first, end in zip(rows, firsts.tolist(), ends.tolist()):
            label = int(table.labels[row])
            groups = maps[task].group_of(label) if task in maps else str(table.groups[row])
            attribute = ACTIVITY if task == 'complex' else GROUP_ATTRIBUTES[groups]
            first = min(first, video.num_frames - 1)
            spans.append((first, min(end, video.num_frames), attribute, name_of(maps.get(task), label, task)))
    spans.sort()
    edges = sorted({0, *(span[0] for span in spans), *(span[1] for span in spans)})
    states: dict[int, dict[str, Names]] = {edge: {} for edge in edges}
    until: dict[tuple[str, str], int] = {}
    overlapping = 0
    for first, end, attribute, name in spans:
        before = until.get((attribute, name), -1)
        overlapping += before > first
        until[attribute, name] = max(before, end)
        for edge in edges[np.searchsorted(edges, first) : np.searchsorted(edges, end)]:
            names = [other for other in states[edge].get(attribute, []) if other[0] != name]
            states[edge][attribute] = [*names, (name, edge == first and before >= first)]
    return states, overlapping


def _boxes(
    annotations: SEALAnnotations, tid: str, states: dict[int, dict[str, Names]], texts: list[str], origin: bool
) -> Iterator[str]:
    """Yield the boxes of a track: all that are there, and outside ones where a hole begins or an action changes."""
    tubelet, track = annotations.tubelets[tid], annotations.track(tid)
    num_frames = annotations.videos[tubelet.vid].num_frames
    fixed = [('person_id', tubelet.person_id), ('tubelet', tid)]
    fixed += [('origin', '; '.join(tubelet.origin))] if origin else []
    fixed += [('across_shots', str(tubelet.across_shots).lower())]
    frames = np.asarray(track.frame_inds, np.int64)
    holes = frames[np.diff(frames, append=np.iinfo(np.int64).max) > 1] + 1
    edges = np.array(sorted(states))
    # A mark of a new instance holds in its first frame only.
    changes = np.unique(np.concatenate([edges[1:] if not states[0] else edges, _after_new(states)]))
    rows = np.unique(np.concatenate([frames, holes, changes]))
    rows = rows[rows < num_frames]
    nearest = np.maximum(np.searchsorted(frames, rows, side='right') - 1, 0)
    seen = np.isin(rows, frames)
    which = np.searchsorted(edges, rows, side='right') - 1
    corners = np.asarray(track.boxes_px, np.float64)[nearest].tolist()
    flags = np.asarray(track.flags)[nearest].tolist()
    head = ''.join(_attribute(name, value) for name, value in fixed)
    for frame, box, flag, visible, edge in zip(rows.tolist(), corners, flags, seen.tolist(), which.tolist()):
        state, is_first = states[int(edges[edge])], int(edges[edge]) == frame
        marks = {name: _text(state.get(name, []), visible, is_first) for name in (*texts, ACTIVITY)}
        marked = ''.join(_attribute(name, text) for name, text in marks.items())
        visible_head = str(bool(flag & HEAD_VISIBLE)).lower()
        yield (
            f'    <box frame="{frame}" keyframe="1" outside="{int(not visible)}" '
            f'occluded="{int(bool(flag & INTERPOLATED))}" '
            f'xtl="{box[0]:.3f}" ytl="{box[1]:.3f}" xbr="{box[2]:.3f}" ybr="{box[3]:.3f}" z_order="0">\n'
            f'{head}{_attribute("head_visible", visible_head)}{marked}    </box>\n'
        )


def _after_new(states: dict[int, dict[str, Names]]) -> np.ndarray:
    fresh = [edge + 1 for edge, state in states.items() if any(new for names in state.values() for _, new in names)]
    return np.array(fresh, np.int64)


def _attribute(name: str, value: object) -> str:
    return f'      <attribute name={quoteattr(name)}>{escape(str(value))}</attribute>\n'


def _text(names: Names, visible: bool, is_first: bool) -> str:
    ends = [(NEW if new and is_first else '') + ('' if visible else UNSEEN) for _, new in names]
    return '; '.join(name + end for (name, _), end in zip(names, ends))
