"""What the pipeline found, as annotations to be corrected; and annotations as results, to be written in any format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from mmtube.errors import InputError

from ...tube import Tube
from ...video_result import VideoInfo, VideoResult
from ..annotations import SEALAnnotations
from ..box_table import INTERPOLATED, BoxTable
from ..label_map import LabelMap
from ..records import InstanceTable, TubeletRecord, VideoRecord


def from_results(
    results: Iterable[VideoResult],
    *,
    split: str = 'train',
    source: str = 'web',
    stage: int = 1,
    label_map: LabelMap | None = None,
) -> SEALAnnotations:
    """Turn results into annotations: a film is named by its file without the suffix, a tube becomes ``<film>.<ID>``.

    Scores of clips and segments, appearance vectors and links are not kept. SEAL counts time in frames of a constant
    rate: frame ``i`` is at ``i / fps`` with the average rate of the film.

    Args:
        results (Iterable[VideoResult]): One for each film; with atomic segments, the label map of ``'atomic'`` holds
            class names, and they become classes by their index.
        split (str): Split of all the films. Defaults to 'train'.
        source (str): Source of all the films. Defaults to 'web'.
        stage (int): Step of SEAL's annotation that the tubes stand for, 1 is what an algorithm found. Defaults to 1.
        label_map (LabelMap | None): Atomic actions, for their groups. Defaults to None, groups stay empty.

    Raises:
        InputError: If two films have one name.
    """
    groups = label_map or LabelMap('atomic', ())  # which has no groups
    videos: dict[str, VideoRecord] = {}
    tubelets: dict[str, TubeletRecord] = {}
    tracks: dict[str, tuple] = {}
    rows: dict[str, list[tuple[str, int, str, float, float]]] = {'atomic': [], 'complex': []}
    for result in results:
        video, vid = result.video, Path(result.video.name).stem
        if vid in videos:
            raise InputError(f'{video.name}: a second film of the name {vid!r}, names must differ')
        shots = tuple((int(first), int(end)) for first, end in result.shots)
        videos[vid] = VideoRecord(
            source, video.width, video.height, video.fps, video.num_frames, video.duration_s, split, shots
        )
        for tube in result.tubes:
            tid = f'{vid}.{tube.track_id}'
            span = (int(tube.frame_inds[0]), int(tube.frame_inds[-1]) + 1) if len(tube) else (0, video.num_frames)
            tubelets[tid] = TubeletRecord(vid, tube.track_id, span, tid, stage=stage)
            tracks[tid] = (tube.frame_inds, tube.boxes_px, tube.scores, np.where(tube.observed, 0, INTERPOLATED))
            for segment in tube.segments:
                group = groups.group_of(segment.label) if segment.task == 'atomic' else ''
                rows[segment.task].append((tid, segment.label, group, segment.start_s, segment.end_s))
    tables = {task: InstanceTable.from_rows(found) for task, found in rows.items()}
    return SEALAnnotations(videos, tubelets, tables['atomic'], tables['complex'], BoxTable.from_tracks(tracks))


def to_results(
    annotations: SEALAnnotations, label_maps: Mapping[str, LabelMap] | None = None, *, suffix: str = '.mp4'
) -> list[VideoResult]:
    """Turn annotations into one result for each film, in the order of the file.

    The tubelets of one person are joined to one tube; its ``tubelet_ids`` number the tubelets of the film from 0.

    Args:
        annotations (SEALAnnotations): Valid annotations.
        label_maps (Mapping[str, LabelMap] | None): Label maps by task. Defaults to None.
        suffix (str): Of the films' file names. Defaults to '.mp4'.

    Raises:
        InputError: If a box or segment is not valid, or a person has two boxes in a frame.
    """
    names = {task: list(label_map.names) for task, label_map in (label_maps or {}).items()}
    results = []
    for vid, tids in annotations.tids_by_video().items():
        video = annotations.videos[vid]
        people: dict[int, list[Tube]] = {}
        for number, tid in enumerate(tids):
            try:
                tube = annotations.tube(tid)
            except ValueError as error:
                raise InputError(f'{annotations.name}: tubelets["{tid}"]: {error}') from None
            tube.tubelet_ids = np.full(len(tube), number, np.int64)
            people.setdefault(tube.track_id, []).append(tube)
        tubes = [
            _join(parts, f'{annotations.name}: person {parts[0].track_id} of {vid!r}') for parts in people.values()
        ]
        tubes.sort(key=lambda tube: tube.track_id)
        info = VideoInfo(f'{vid}{suffix}', video.width, video.height, video.fps, video.num_frames, video.duration_s)
        results.append(VideoResult(info, tubes, list(video.shots), label_maps=names))
    return results


def _join(parts: list[Tube], who: str) -> Tube:
    frames, counts = np.unique(np.concatenate([tube.frame_inds for tube in parts]), return_counts=True)
    if (counts > 1).any():
        raise InputError(f'{who}: has two boxes in frame {frames[counts > 1][0]}')
    return Tube.concatenate(parts, parts[0].track_id) if len(parts) > 1 else parts[0]
