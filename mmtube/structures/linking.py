"""Merging tubelets into tubes and taking a merge back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .link_proposal import TubeletSplit
from .tube import Tube
from .video_result import Link, VideoResult


def apply_links(tubelets: list[Tube], links: list[Link], max_overlap_frames: int = 0) -> list[Tube]:
    """Join the tubelets that ``links`` connect; each tube gets the lowest ID of its tubelets.

    Args:
        tubelets (list[Tube]): Distinct IDs.
        links (list[Link]): Connections between their IDs.
        max_overlap_frames (int): So many frames two joined tubelets may share; of their two boxes in a frame the one
            with the higher score stays, of equal ones that of the earlier tubelet. Taking the link back does not bring
            the other one back. Defaults to 0.

    Returns:
        list[Tube]: Ordered by ID.

    Raises:
        ValueError: If a link names an unknown ID, or joined tubelets share more frames.
    """
    root = {tube.track_id: tube.track_id for tube in tubelets}

    def find(track_id: int) -> int:
        while root[track_id] != track_id:
            root[track_id] = track_id = root[root[track_id]]
        return track_id

    for link in links:
        for track_id in (link.earlier_id, link.later_id):
            if track_id not in root:
                raise ValueError(f'a link names tubelet {track_id}, which does not exist')
        low, high = sorted((find(link.earlier_id), find(link.later_id)))
        root[high] = low
    groups: dict[int, list[Tube]] = {}
    for tube in tubelets:
        groups.setdefault(find(tube.track_id), []).append(tube)
    return [
        group[0] if len(group) == 1 else Tube.concatenate(_one_box_a_frame(group, max_overlap_frames), track_id)
        for track_id, group in sorted(groups.items())
    ]


def _one_box_a_frame(tubelets: list[Tube], max_overlap_frames: int) -> list[Tube]:
    """Return the tubelets without their worse boxes in frames that two of them share."""
    if not max_overlap_frames:
        return tubelets
    parts = sorted((tube for tube in tubelets if len(tube)), key=lambda tube: int(tube.frame_inds[0]))
    for i, earlier in enumerate(parts):
        for j in range(i + 1, len(parts)):
            shared = np.intersect1d(earlier.frame_inds, parts[j].frame_inds, assume_unique=True)
            if not 0 < len(shared) <= max_overlap_frames:
                continue  # more are refused when they are joined
            mine, other = np.isin(earlier.frame_inds, shared), np.isin(parts[j].frame_inds, shared)
            keeps = earlier.scores[mine] >= parts[j].scores[other]
            mine[mine], other[other] = ~keeps, keeps
            earlier = parts[i] = earlier.rows(~mine)
            parts[j] = parts[j].rows(~other)
    return parts


def apply_splits(tubelets: list[Tube], splits: Sequence[TubeletSplit]) -> list[Tube]:
    """Part tubelets where they change the person.

    Args:
        tubelets (list[Tube]): Tubelets with distinct IDs, not linked yet; not changed.
        splits (Sequence[TubeletSplit]): In the order in which they were made. The parts have no embedding.

    Returns:
        list[Tube]: Ordered by ID.

    Raises:
        ValueError: If a split names an unknown tubelet or a used ID, or leaves a part without a box.
    """
    by_id = {tube.track_id: tube for tube in tubelets}
    for split in splits:
        if split.earlier_id not in by_id:
            raise ValueError(f'a split names tubelet {split.earlier_id}, which does not exist')
        if split.later_id in by_id:
            raise ValueError(f'a split names tubelet {split.later_id}, which exists already')
        tube = by_id[split.earlier_id]
        row = int(np.searchsorted(tube.frame_inds, split.frame_ind))
        if not 0 < row < len(tube):
            raise ValueError(f'tubelet {split.earlier_id} has no box on one side of frame {split.frame_ind}')
        before = np.arange(len(tube)) < row
        for track_id, part in ((split.earlier_id, before), (split.later_id, ~before)):
            rows = tube.rows(part)
            own = np.full(len(rows), track_id, np.int64)
            by_id[track_id] = replace(rows, track_id=track_id, tubelet_ids=own, embedding=None)
    return [by_id[track_id] for track_id in sorted(by_id)]


def split_tubelets(tube: Tube) -> list[Tube]:
    """Take a tube apart into the tubelets it was made of.

    Boxes that were filled in between two tubelets belong to neither and are dropped; clip scores and segments go to the
    tubelet whose span holds their middle (the nearest one); the embedding cannot be taken apart and is dropped.
    """
    ids = np.unique(tube.tubelet_ids)
    if len(ids) <= 1:
        return [tube]
    parts = []
    for tubelet_id in ids:
        rows = np.flatnonzero(tube.tubelet_ids == tubelet_id)
        seen = np.flatnonzero(tube.observed[rows])
        rows = rows[seen[0] : seen[-1] + 1] if len(seen) else rows
        parts.append(replace(tube.rows(rows), track_id=int(tubelet_id), embedding=None))
    starts, ends = np.array([part.start_s for part in parts]), np.array([part.end_s for part in parts])

    def nearest(time_s: float) -> int:
        return int(np.maximum(starts - time_s, time_s - ends).argmin())

    clip_owner = np.array([nearest(time_s) for time_s in tube.clip_times_s], np.int64)
    segment_owner = [nearest((segment.start_s + segment.end_s) / 2) for segment in tube.segments]
    for index, part in enumerate(parts):
        part.clip_times_s = tube.clip_times_s[clip_owner == index]
        part.clip_scores = tube.clip_scores[clip_owner == index]
        part.segments = [segment for segment, owner in zip(tube.segments, segment_owner) if owner == index]
    return parts


def without_link(result: VideoResult, index: int) -> VideoResult:
    """Return the result with one merge taken back; the others stay.

    Args:
        result (VideoResult): The film; it is not changed.
        index (int): Which of ``result.links``.

    Raises:
        IndexError: If there is no such link.
    """
    links = list(result.links)
    gone = links.pop(index)
    tubes: list[Tube] = []
    for tube in result.tubes:
        ids = set(tube.tubelet_ids.tolist())
        if {gone.earlier_id, gone.later_id} <= ids:
            tubes += apply_links(split_tubelets(tube), [link for link in links if link.earlier_id in ids])
        else:
            tubes.append(tube)
    return replace(result, tubes=sorted(tubes, key=lambda tube: tube.track_id), links=links)
