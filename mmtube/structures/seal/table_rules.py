"""Rules that the small tables of an annotation file must keep before anything can work with it.

They are cheap (no box is read), so readers apply them to each file that they open. The rules that need boxes, and
those that compare rows with one another, are in ``mmtube.datasets.quality``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from .annotations import SEALAnnotations
from .findings import Finding
from .label_map import LabelMap
from .records import GROUPS, STAGES, InstanceTable

TOLERANCE_S = 1e-6
TABLES = {'aa': 'atomic', 'ca': 'complex'}


def rows_in_file(name: str, rows: int, findings: Iterable[Finding]) -> np.ndarray:
    """Return where the instances that were read stand in the file, beside those that reading passed over.

    Args:
        name (str): ``'aa'`` or ``'ca'``.
        rows (int): How many were read.
        findings (Iterable[Finding]): What reading found.

    Returns:
        np.ndarray: (rows,) int64.

    Examples:
        >>> rows_in_file('aa', 3, [Finding('train.json', 'aa[1]', 'record', "'tid' is missing")]).tolist()
        [0, 2, 3]
    """
    unread = {finding.row for finding in findings if finding.rule == 'record' and finding.row.startswith(f'{name}[')}
    missing = [int(row[len(name) + 1 : -1]) for row in unread]
    return np.setdiff1d(np.arange(rows + len(missing)), missing)


def table_findings(
    annotations: SEALAnnotations,
    label_maps: Mapping[str, LabelMap] | None = None,
    *,
    read_findings: Iterable[Finding] = (),
) -> list[Finding]:
    """Return what is wrong with videos, tubelets and instances, in the order of the file.

    Args:
        annotations (SEALAnnotations): What was read.
        label_maps (Mapping[str, LabelMap] | None): Label maps by task, to find unknown classes and wrong groups.
            Defaults to None, which finds negative classes only.
        read_findings (Iterable[Finding]): What reading found: records that it passed over count in row numbers.
            Defaults to none.

    Returns:
        list[Finding]: One for each place and rule.
    """
    findings, read_findings = [*_videos(annotations), *_tubelets(annotations)], list(read_findings)
    for name, task in TABLES.items():
        findings += _instances(annotations, name, (label_maps or {}).get(task), read_findings)
    return findings


def _videos(annotations: SEALAnnotations) -> Iterator[Finding]:
    for vid, video in annotations.videos.items():

        def finding(rule: str, cause: str, vid: str = vid) -> Finding:
            return Finding(annotations.name, f'videos["{vid}"]', rule, cause)

        if not (np.isfinite(video.fps) and video.fps > 0):
            yield finding('video-fps', f'fps is {video.fps}, it must be positive')
        if video.width < 1 or video.height < 1:
            yield finding('video-size', f'the frame is {video.width}x{video.height} pixels')
        if video.num_frames < 1 or not (np.isfinite(video.duration_s) and video.duration_s > 0):
            yield finding('video-length', f'has {video.num_frames} frames in {video.duration_s} s')
        elif 0 < video.fps < np.inf and abs(video.num_frames / video.fps - video.duration_s) > max(0.5, 2 / video.fps):
            told = f'{video.num_frames} frames at {video.fps:g} fps'
            yield finding('video-duration', f'duration is {video.duration_s:g} s, but there are {told}')
        edges = [edge for shot in video.shots for edge in shot]
        if edges and (
            edges != sorted(edges) or edges[0] < 0 or edges[-1] > video.num_frames or edges[1:-1:2] != edges[2::2]
        ):
            shots = [list(shot) for shot in video.shots]
            yield finding('video-shots', f'shots {shots} must follow one another within 0 to {video.num_frames}')


def _tubelets(annotations: SEALAnnotations) -> Iterator[Finding]:
    owners: dict[str, str] = {}
    for tid, tubelet in annotations.tubelets.items():

        def finding(rule: str, cause: str, tid: str = tid) -> Finding:
            return Finding(annotations.name, f'tubelets["{tid}"]', rule, cause)

        first, end = tubelet.frame_range
        video = annotations.videos.get(tubelet.vid)
        if video is None:
            yield finding('unknown-video', f'the video {tubelet.vid!r} is not in the file')
        elif end > video.num_frames > 0:
            yield finding('tubelet-range', f'frames {first} to {end} go beyond the {video.num_frames} of the video')
        if not 0 <= first < end:
            yield finding('tubelet-range', f'frames {first} to {end} are no range')
        if tubelet.person_id < 0:
            yield finding('person-id', f'person_id is {tubelet.person_id}, it must be >= 0')
        if tubelet.stage not in STAGES:
            yield finding('stage', f'stage is {tubelet.stage}, it must be one of {tuple(STAGES)}')
        if tubelet.box_key not in annotations.boxes:
            yield finding('no-boxes', f'the box file has no key {tubelet.box_key!r}')
        if tubelet.box_key in owners:
            yield finding('shared-boxes', f'has the boxes {tubelet.box_key!r} of tubelet {owners[tubelet.box_key]!r}')
        owners.setdefault(tubelet.box_key, tid)


def _instances(
    annotations: SEALAnnotations, name: str, label_map: LabelMap | None, read_findings: list[Finding]
) -> list[Finding]:
    table: InstanceTable = getattr(annotations, name)
    if not len(table):
        return []
    tids, inverse = np.unique(table.tids, return_inverse=True)
    vids = [annotations.tubelets[tid].vid if tid in annotations.tubelets else None for tid in tids.tolist()]
    lengths = [
        annotations.videos[vid].duration_s if vid is not None and vid in annotations.videos else np.inf for vid in vids
    ]
    known = np.array([vid is not None for vid in vids])[inverse]
    video_s = np.nan_to_num(np.array(lengths, np.float64), nan=np.inf)[inverse]
    start, end, labels, groups = table.start_s, table.end_s, table.labels, table.groups
    finite = np.isfinite(start) & np.isfinite(end)
    classes = len(label_map) if label_map is not None else np.iinfo(np.int64).max
    valid_class = (labels >= 0) & (labels < classes)
    told = [str(group) for group in np.unique(groups)]
    if label_map is not None and label_map.groups:
        right = np.array([label_map.group_of(label) for label in range(classes)])
        good_group = ~valid_class | (groups == right[np.where(valid_class, labels, 0)])
    else:
        good_group = np.isin(groups, [group for group in told if group in (*GROUPS, '')])

    broken = [
        ('unknown-tubelet', ~known, lambda i: f'the tubelet {str(table.tids[i])!r} is not in the file'),
        ('not-a-number', ~finite, lambda i: f'the segment is {start[i]} to {end[i]} s'),
        (
            'reversed-segment',
            finite & (end < start),
            lambda i: f'ends at {end[i]:g} s before it starts at {start[i]:g} s',
        ),
        ('empty-segment', finite & (end == start), lambda i: f'starts and ends at {start[i]:g} s'),
        (
            'segment-outside-video',
            finite & ((start < 0) | (end > video_s + TOLERANCE_S)),
            lambda i: f'{start[i]:g} to {end[i]:g} s is outside the video of {video_s[i]:g} s',
        ),
        ('unknown-class', ~valid_class, lambda i: f'class {labels[i]} is not in the label map'),
        ('wrong-group', ~good_group, lambda i: f'class {labels[i]} is not of group {str(groups[i])!r}'),
    ]
    file_rows = rows_in_file(name, len(table), read_findings)
    found = [
        (int(row), order, Finding(annotations.name, f'{name}[{file_rows[row]}]', rule, cause(row)))
        for order, (rule, mask, cause) in enumerate(broken)
        for row in np.flatnonzero(mask)
    ]
    return [finding for _, _, finding in sorted(found, key=lambda item: item[:2])]
