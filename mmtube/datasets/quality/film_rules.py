"""Rules that compare the films with what the annotations say of them; containers are read, films are not decoded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np

from mmtube.errors import InputError
from mmtube.structures import VideoInfo
from mmtube.structures.seal import VideoRecord

from ..film_container import open_film
from ..film_folder import find_film
from ..frame_source import FrameSource
from .columns import Columns

Places = Iterator[tuple[str, str]]
TOLERANCE_FRAMES = 2
TOLERANCE_FPS = 0.0005  # share of the rate: 29.97 is not 30, and 23.98 is 23.976
TOLERANCE_S = 0.25  # how far a frame may be from where a constant rate puts it


class Films:
    """The films of annotations.

    Args:
        columns (Columns): The annotations.
        folder (str | os.PathLike): Where the films are, named by their IDs.

    Raises:
        InputError: If there is no such folder.
    """

    def __init__(self, columns: Columns, folder: str | os.PathLike) -> None:
        if not Path(folder).is_dir():
            raise InputError(f'{folder}: there is no such folder of films')
        self.columns, self.folder = columns, Path(folder)

    @cached_property
    def probes(self) -> list[tuple[str, str | VideoInfo]]:
        """What each film's container says, or the rule that it breaks and why."""
        return [self._probe(vid) for vid in self.columns.vids]

    def _probe(self, vid: str) -> tuple[str, str | VideoInfo]:
        try:
            path = find_film(self.folder, vid)
        except InputError as error:
            return 'film-missing', str(error)
        try:
            with FrameSource(path, threads=1) as source:
                return '', source.info
        except InputError as error:
            return 'film-unreadable', str(error)

    def broken(self, rule: str) -> Places:
        """Yield the films that cannot be compared."""
        for number, (name, cause) in enumerate(self.probes):
            if name == rule:
                yield self.columns.video_place(number), str(cause)

    def read(self) -> Iterator[tuple[str, VideoInfo, VideoRecord]]:
        """Yield place, container and record of the films that can be read."""
        records = list(self.columns.annotations.videos.values())
        for number, (_, info) in enumerate(self.probes):
            if isinstance(info, VideoInfo):
                yield self.columns.video_place(number), info, records[number]


def film_missing(films: Films) -> Places:
    """a film is not in the folder"""
    return films.broken('film-missing')


def film_unreadable(films: Films) -> Places:
    """a film cannot be read or is cut off"""
    return films.broken('film-unreadable')


def film_size(films: Films) -> Places:
    """a film has another frame size than the file says"""
    for place, info, record in films.read():
        if (info.width, info.height) != (record.width, record.height):
            yield place, f'the film is {info.width}x{info.height}, not {record.width}x{record.height} pixels'


def film_fps(films: Films) -> Places:
    """a film has another frame rate than the file says"""
    for place, info, record in films.read():
        if not abs(info.fps - record.fps) <= TOLERANCE_FPS * info.fps:
            yield place, f'the film has {info.fps:g} frames per second, not {record.fps:g}'


def film_times(films: Films) -> Places:
    """frames of a film are not where a constant rate puts them (only told of films with an index)"""
    records = list(films.columns.annotations.videos.values())
    for number, vid in enumerate(films.columns.vids):
        if isinstance(films.probes[number][1], VideoInfo) and records[number].fps > 0:
            times_s = indexed_times_s(find_film(films.folder, vid))
            away_s = np.abs(times_s - np.arange(len(times_s)) / records[number].fps)
            if away_s.max(initial=0) > TOLERANCE_S:
                told = f'up to {away_s.max():.2f} s from where {records[number].fps:g} frames per second put them'
                yield films.columns.video_place(number), f'frames of the film are {told}: its rate varies'


def indexed_times_s(path: Path) -> np.ndarray:
    """Return the times of all frames in the order of decoding from the index of a film, without reading the film.

    Args:
        path (Path): A film that can be opened.

    Returns:
        np.ndarray: (F,) float64 seconds after the first; none where the container has no index of all frames.
    """
    with open_film(path, threads=1) as (container, stream):
        if 'mp4' not in container.format.name:
            return np.zeros(0)
        ticks = np.array([entry.timestamp for entry in stream.index_entries], np.int64)
        return (ticks - ticks[:1]) * float(stream.time_base)


def film_frames(films: Films) -> Places:
    """a film has another number of frames than the file says"""
    for place, info, record in films.read():
        if abs(info.num_frames - record.num_frames) > TOLERANCE_FRAMES:
            yield place, f'the film has {info.num_frames} frames, not {record.num_frames}'


def film_duration(films: Films) -> Places:
    """a film has another length than the file says"""
    for place, info, record in films.read():
        if not abs(info.duration_s - record.duration_s) <= (TOLERANCE_FRAMES + 0.5) / info.fps:
            yield place, f'the film lasts {info.duration_s:.3f} s, not {record.duration_s:.3f} s'
