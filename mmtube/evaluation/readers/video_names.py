"""Names of videos that two files write differently, and videos that are left out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.tables import SegmentTable
from mmtube.structures.io.documents import text_of

from .json_rows import parse_json


def agree_on_names(truth: SegmentTable, found: SegmentTable) -> tuple[SegmentTable, SegmentTable, list[str]]:
    """Let names with and without ``v_`` be one, where no video is in both files otherwise.

    MMAction2 and ActivityNet's own script write results without the ``v_`` that the names of the ground truth have.

    Returns:
        tuple: Both tables, and a note if names were changed.
    """
    if set(truth.videos) & set(found.videos):
        return truth, found, []
    tables, bare = [], []
    for table in (truth, found):
        names = [name.removeprefix('v_') for name in table.videos]
        if len(set(names)) < len(names):
            return truth, found, []
        bare.append(set(names))
        tables.append(replace(table, videos=names))
    if not bare[0] & bare[1]:
        return truth, found, []
    return tables[0], tables[1], ['names of videos are compared without the v_ that only one of the files has']


def read_video_names(path: str | os.PathLike) -> set[str]:
    """Read names of videos: a text file with one in each line, a JSON list, or the keys of a JSON object.

    Raises:
        InputError: If the file cannot be read or has no name.
    """
    text = text_of(path)
    if Path(path).suffix == '.json':
        root = parse_json(path, text)
        names = set(root.value) if isinstance(root.value, dict) else {name.text() for name in root}
    else:
        names = {line.strip() for line in text.splitlines() if line.strip()}
    if not names:
        raise InputError(f'{path}: names no video')
    return names


def without_videos(table: SegmentTable, names: Iterable[str]) -> SegmentTable:
    """Return the table without some videos; names with and without ``v_`` are one."""
    names = {name.removeprefix('v_') for name in names}
    stays = np.array([video.removeprefix('v_') not in names for video in table.videos], bool)
    table = table.rows(stays[table.video])
    durations_s = None if table.durations_s is None else table.durations_s[stays]
    videos = [video for video, stay in zip(table.videos, stays) if stay]
    return replace(table, videos=videos, video=(np.cumsum(stays) - 1)[table.video], durations_s=durations_s)
