"""The library's own format: everything in a :class:`VideoResult`, bit for bit."""

from __future__ import annotations

import json
import os
from importlib.resources import files
from typing import Any

import numpy as np

from ..tube import Segment, Tube
from ..video_result import Link, StageReport, VideoInfo, VideoResult
from ._common import check_writable, shortest
from ._json import Node, read_json, write_json

FORMAT = 'mmtube-result'
VERSION = 1


def result_schema() -> dict[str, Any]:
    """Return the published JSON schema (draft 2020-12) of the format."""
    return json.loads(files(__package__).joinpath('result.schema.json').read_text(encoding='utf-8'))


def write_result_json(result: VideoResult, path: str | os.PathLike) -> None:
    """Write everything that is known about a film.

    Numbers are written with as many digits as bring them back unchanged, and no more.

    Args:
        result (VideoResult): The film.
        path (str | os.PathLike): File to write.

    Raises:
        InputError: If a number is not finite, two tubes share an ID, or the file cannot be written.
    """
    check_writable(result, path)
    video = result.video
    document = {
        'format': FORMAT,
        'version': VERSION,
        'video': {
            'name': video.name,
            'width': int(video.width),
            'height': int(video.height),
            'fps': float(video.fps),
            'num_frames': int(video.num_frames),
            'duration_s': float(video.duration_s),
        },
        'label_maps': {task: list(names) for task, names in result.label_maps.items()},
        'stages': [
            {'name': stage.name, 'state': stage.state, 'reason': stage.reason, 'seconds': float(stage.seconds)}
            for stage in result.stages
        ],
        'shots': [[int(start), int(end)] for start, end in result.shots],
        'links': [
            {
                'earlier_id': int(link.earlier_id),
                'later_id': int(link.later_id),
                'cost': float(link.cost),
                'gap_s': float(link.gap_s),
                'reason': link.reason,
            }
            for link in result.links
        ],
        'tubes': [_tube_to_json(tube) for tube in result.tubes],
    }
    write_json(document, path)


def _tube_to_json(tube: Tube) -> dict[str, Any]:
    return {
        'track_id': tube.track_id,
        'segments': [
            {
                'task': segment.task,
                'label': int(segment.label),
                'start_s': float(segment.start_s),
                'end_s': float(segment.end_s),
                'score': float(segment.score),
            }
            for segment in tube.segments
        ],
        'frame_inds': tube.frame_inds.tolist(),
        'times_s': tube.times_s.tolist(),
        'boxes_px': shortest(tube.boxes_px).tolist(),
        'scores': shortest(tube.scores).tolist(),
        'observed': tube.observed.tolist(),
        'tubelet_ids': tube.tubelet_ids.tolist(),
        'clip_times_s': tube.clip_times_s.tolist(),
        'clip_scores': shortest(tube.clip_scores).tolist(),
        'embedding': None if tube.embedding is None else shortest(tube.embedding).tolist(),
    }


def read_result_json(path: str | os.PathLike) -> VideoResult:
    """Read what :func:`write_result_json` wrote. Keys that this version does not know are ignored.

    Args:
        path (str | os.PathLike): File to read.

    Returns:
        VideoResult: Equal to the one that was written (the clip scores of a tube without clips lose their width).

    Raises:
        InputError: If the file is missing, empty, cut off or of another format or version, or if a value is missing
            or wrong; the message names the place in the document.
    """
    root = read_json(path)
    if 'format' not in root or root['format'].value != FORMAT:
        raise root.error(f'is not a result of this library ("format" is not "{FORMAT}")')
    if root['version'].integer() != VERSION:
        raise root['version'].error(f'is {root["version"].value}, this reader knows version {VERSION}')
    video = root['video']
    tubes = [_tube_from_json(node) for node in root['tubes']]
    seen: set[int] = set()
    for tube, node in zip(tubes, root['tubes']):
        if tube.track_id in seen:
            raise node['track_id'].error(f'{tube.track_id} is used twice')
        seen.add(tube.track_id)
    shots = root['shots'].array(np.int64, (None, 2))
    if (shots < 0).any() or (shots[:, 1] < shots[:, 0]).any():
        raise root['shots'].error('a shot begins before frame 0 or ends before it begins')
    return VideoResult(
        VideoInfo(
            video['name'].text(),
            video['width'].integer(),
            video['height'].integer(),
            video['fps'].number(),
            video['num_frames'].integer(),
            video['duration_s'].number(),
        ),
        tubes=tubes,
        shots=[(int(start), int(end)) for start, end in shots],
        links=[_link_from_json(node) for node in root['links']],
        stages=[
            node.build(
                StageReport, node['name'].text(), node['state'].text(), node['reason'].text(), node['seconds'].number()
            )
            for node in root['stages']
        ],
        label_maps={task: [name.text() for name in names] for task, names in root['label_maps'].items()},
    )


def _link_from_json(node: Node) -> Link:
    return Link(
        node['earlier_id'].integer(),
        node['later_id'].integer(),
        node['cost'].number(),
        node['gap_s'].number(),
        node['reason'].text(),
    )


def _segment_from_json(node: Node) -> Segment:
    start_s, end_s, score = (node[key].number() for key in ('start_s', 'end_s', 'score'))
    return node.build(Segment, start_s, end_s, node['label'].integer(), score, node['task'].text())


def _tube_from_json(node: Node) -> Tube:
    embedding = node['embedding']
    return node.build(
        Tube,
        node['track_id'].integer(),
        node['frame_inds'].array(np.int64, (None,)),
        node['times_s'].array(np.float64, (None,)),
        node['boxes_px'].array(np.float32, (None, 4)),
        scores=node['scores'].array(np.float32, (None,)),
        observed=node['observed'].array(bool, (None,)),
        tubelet_ids=node['tubelet_ids'].array(np.int64, (None,)),
        embedding=None if embedding.value is None else embedding.array(np.float32, (None,)),
        clip_times_s=node['clip_times_s'].array(np.float64, (None,)),
        clip_scores=node['clip_scores'].array(np.float32, (None, None)),
        segments=[_segment_from_json(segment) for segment in node['segments']],
    )
