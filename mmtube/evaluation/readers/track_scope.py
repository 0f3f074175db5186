"""What part of a ground truth of people is scored: IDs that end at shot changes, some films, films with returns."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import numpy as np

from mmtube.errors import InputError

from .tracks import TrackTable
from .tubelets import read_tubelets

ENDS_AT_SHOTS = 'IDs of the ground truth end at shot changes'  # as a convention says it


def add_scope_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that :func:`scoped` reads."""
    parser.add_argument(
        '--ids-per-shot',
        action='store_true',
        help='people of the ground truth (.json) get another ID after each shot change: SEAL merges no IDs over a cut',
    )
    parser.add_argument('--videos', nargs='+', metavar='NAME', help="score these videos only; names or 'test_???[49]'")
    parser.add_argument(
        '--with-returns',
        type=float,
        metavar='SECONDS',
        help='score only videos in which somebody is away for so long within a shot and comes back',
    )


def scoped(truth: TrackTable, found: TrackTable, args: argparse.Namespace) -> tuple[TrackTable, TrackTable, list[str]]:
    """Apply the options of :func:`add_scope_arguments`.

    Args:
        truth (TrackTable): Ground truth.
        found (TrackTable): Predictions.
        args (argparse.Namespace): ``gt``, ``ids_per_shot``, ``videos`` and ``with_returns``.

    Returns:
        tuple: Both tables, and what was scored in words for the protocol's convention.

    Raises:
        InputError: If the ground truth has no shots, or no video is left.
    """
    told: list[str] = []
    if args.ids_per_shot:
        truth = split_at_shots(truth, shots_of(args.gt))
        told.append(ENDS_AT_SHOTS)
    if args.videos:
        truth, found = only_videos(truth, found, args.videos)
        told.append(f'videos {" ".join(args.videos)}')
    if args.with_returns is not None:
        if not 0 < args.with_returns < np.inf:
            raise InputError(f'--with-returns must be positive, not {args.with_returns:g}')
        names = videos_with_returns(truth, args.with_returns)
        if not names:
            raise InputError(f'{truth.name}: nobody is away for {args.with_returns:g} s and comes back')
        truth, found = only_videos(truth, found, names, literal=True)
        told.append(f'only videos in which somebody is away for {args.with_returns:g} s and comes back: {len(names)}')
    return truth, found, told


def shots_of(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Return where the shots of each video begin, (S,) int64 frame indices, as SEAL annotations say.

    Raises:
        InputError: If the file is of another kind or a video lists no shot.
    """
    if os.path.isdir(path) or not str(path).endswith('.json'):
        raise InputError(f'{path}: only SEAL annotations (.json) say where the shots are, --ids-per-shot needs them')
    starts = {}
    for vid, video in read_tubelets(path).videos.items():
        if not video.shots:
            raise InputError(f'{path}: videos["{vid}"] has no shots, --ids-per-shot needs them')
        starts[vid] = np.array(sorted(first for first, _ in video.shots), np.int64)
    return starts


def split_at_shots(table: TrackTable, shot_starts: Mapping[str, np.ndarray]) -> TrackTable:
    """Give every ID of a video another one in each shot; within a shot nothing changes.

    Args:
        table (TrackTable): Ground truth.
        shot_starts (Mapping[str, np.ndarray]): First frames of the shots by video; a video that is not listed is one
            shot.

    Returns:
        TrackTable: The ID in shot s is ``ID * S + s`` with the largest number S of shots of a video, so that ID and
        shot can be told from it.
    """
    most = max((len(starts) for starts in shot_starts.values()), default=1)
    shot = np.zeros(len(table), np.int64)
    for number, name in enumerate(table.videos):
        rows = table.video == number
        starts = shot_starts.get(name, np.zeros(1, np.int64))
        shot[rows] = np.maximum(np.searchsorted(starts, table.frames[rows], side='right') - 1, 0)
    return replace(table, ids=table.ids * most + shot)


def only_videos(
    truth: TrackTable, found: TrackTable, names: Sequence[str], *, literal: bool = False
) -> tuple[TrackTable, TrackTable]:
    """Keep some videos of both tables.

    Args:
        truth (TrackTable): Ground truth.
        found (TrackTable): Predictions.
        names (Sequence[str]): Names, or patterns as a shell has them.
        literal (bool): Whether names are no patterns. Defaults to False.

    Raises:
        InputError: If a name or pattern fits no video of the ground truth.
    """

    def fits(video: str, name: str) -> bool:
        return video == name if literal else fnmatchcase(video, name)

    for name in names:
        if not any(fits(video, name) for video in truth.videos):
            raise InputError(f'{truth.name}: has no video {name!r}, there is {truth.videos[0]!r}')
    tables = []
    for table in (truth, found):
        stays = np.array([any(fits(video, name) for name in names) for video in table.videos], bool)
        rows = table.rows(stays[table.video]) if len(table) else table
        videos = [video for video, stay in zip(table.videos, stays) if stay]
        tables.append(
            replace(rows, videos=videos, video=(np.cumsum(stays) - 1)[rows.video] if len(rows) else rows.video)
        )
    return tables[0], tables[1]


def videos_with_returns(truth: TrackTable, seconds: float) -> list[str]:
    """Return the videos in which an ID has two boxes in a row that are at least ``seconds`` apart.

    Args:
        truth (TrackTable): Ground truth with times; a hole over a cut counts too where IDs go on across it.
        seconds (float): Shortest absence.

    Raises:
        InputError: If a box has no time.
    """
    truth.refuse(~np.isfinite(truth.times_s), 'the time of the box is not known, --with-returns needs it')
    order = np.lexsort((truth.frames, truth.ids, truth.video))
    video, ids, times_s = truth.video[order], truth.ids[order], truth.times_s[order]
    same = (np.diff(video) == 0) & (np.diff(ids) == 0)
    away = np.unique(video[1:][same & (np.diff(times_s) >= seconds - 1e-9)])
    return [truth.videos[number] for number in away]
