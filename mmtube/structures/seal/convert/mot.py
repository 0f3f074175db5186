"""MOTChallenge folders: boxes with IDs, a file for each film.

Either ``<vid>/gt/gt.txt`` (or ``<vid>/gt.txt``) with ``<vid>/seqinfo.ini`` beside it, or ``<vid>.txt``. Frames and
pixels are counted from 1 (see ``mmtube.structures.io.mot_txt``).
"""

from __future__ import annotations

import configparser
import os
import re
from pathlib import Path

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import read_text, write_text

from ...io.mot_txt import read_mot_txt, write_mot_txt
from ..annotations import SEALAnnotations
from ..findings import Finding
from ..records import VideoRecord
from ._common import Collector, Losses, Videos, counted, film_file, own_boxes
from .results import to_results

LAYOUTS = ('challenge', 'plain')
INFO = 'seqinfo.ini'


def read_mot(
    path: str | os.PathLike,
    videos: Videos | None = None,
    *,
    fps: float | None = None,
    split: str = 'train',
    findings: list[Finding] | None = None,
) -> SEALAnnotations:
    """Read a folder of MOTChallenge ground truth, or of a tracker's files.

    Each person becomes a tubelet; its holes are frames without a box. In ``gt.txt`` the seventh column is the flag "to
    be considered": rows with 0 (people on vehicles, statues, reflections) are left out. In ``<vid>.txt`` it is the
    score.

    Args:
        path (str | os.PathLike): The folder; sub-folders are films, names with slashes are films in folders.
        videos (Videos | None): Films by ID; what they say goes before ``seqinfo.ini``. Defaults to None.
        fps (float | None): Frames per second of films that neither knows. Defaults to None: such films are refused.
        split (str): Split of films that are not in ``videos``. Defaults to 'train'.
        findings (list[Finding] | None): Where given, films that cannot be read are left out and told here. Defaults to
            None: refused.

    Raises:
        InputError: If there is no such folder or no film in it, a row is wrong, or size and rate of a film are unknown.
    """
    collector = Collector(path, videos)
    for vid, text, info in _films(Path(path)):
        try:
            facts = _facts(vid, info, fps, split) if vid not in collector.known and info is not None else None
            video = collector.video(vid, facts)
            if video is None:
                raise InputError(f'{text}: the size and rate of this film are not known, there is no {INFO}')
            result = read_mot_txt(text, video.fps, (video.width, video.height), video.num_frames)
        except InputError as error:
            if findings is None:
                raise
            collector.videos.pop(vid, None)
            place = re.fullmatch(r':(\d+): (.*)', str(error).removeprefix(str(text)))
            row, cause = (f'line {place[1]}', place[2]) if place else (vid, str(error))
            collector.wrong(row, 'mot-film', cause, text)
            continue
        for tube in result.tubes:
            keep = tube.scores != 0 if text.name == 'gt.txt' else np.ones(len(tube), bool)
            if keep.any():
                rows = (tube.frame_inds[keep], tube.boxes_px[keep], tube.scores[keep], np.zeros(keep.sum()))
                collector.tubelet(vid, tube.track_id, rows)
    return collector.finish(findings)


def _films(folder: Path) -> list[tuple[str, Path, Path | None]]:
    """Return ID, text and ``seqinfo.ini`` of each film, in the order of the IDs."""
    if not folder.is_dir():
        raise InputError(f'{folder}: there is no such folder')
    found = {}
    for text in sorted(folder.rglob('gt.txt')):
        home = text.parent.parent if text.parent.name == 'gt' else text.parent
        info = home / INFO
        found[home.relative_to(folder).as_posix()] = (text, info if info.is_file() else None)
    if not found:
        found = {text.relative_to(folder).with_suffix('').as_posix(): (text, None) for text in folder.rglob('*.txt')}
    if not found:
        raise InputError(f'{folder}: has neither <film>/gt/gt.txt nor <film>.txt')
    return [(vid, *found[vid]) for vid in sorted(found)]


def _facts(vid: str, info: Path, fps: float | None, split: str) -> VideoRecord:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(info))
        sequence = parser['Sequence']
        rate = float(sequence['frameRate']) if 'frameRate' in sequence or fps is None else fps
        frames = int(sequence['seqLength'])
        width, height = int(sequence['imWidth']), int(sequence['imHeight'])
    except KeyError as error:
        raise InputError(f'{info}: {error} is missing') from None
    except (configparser.Error, ValueError) as error:
        raise InputError(f'{info}: {" ".join(str(error).split())}') from None
    if not (0 < rate < np.inf and min(frames, width, height) > 0):
        raise InputError(f'{info}: rate, length and size of {vid!r} must be positive')
    return VideoRecord('mot', width, height, rate, frames, frames / rate, split)


def write_mot(annotations: SEALAnnotations, folder: str | os.PathLike, *, layout: str = 'challenge') -> Losses:
    """Write a folder of MOTChallenge text; a person's tubelets are one ID.

    Args:
        annotations (SEALAnnotations): Valid annotations.
        folder (str | os.PathLike): Folder to write.
        layout (str): ``'challenge'`` for ``<vid>/gt/gt.txt`` (flag 1, class 1, visibility 1) and ``seqinfo.ini``, or
            ``'plain'`` for ``<vid>.txt`` with scores. Defaults to 'challenge'.

    Returns:
        Losses: What the files do not hold, counted.

    Raises:
        InputError: If a person has two boxes in a frame, or a file cannot be written.
        ValueError: If the layout is unknown.
    """
    if layout not in LAYOUTS:
        raise ValueError(f'layout must be one of {LAYOUTS}, got {layout!r}')
    joined = 0
    for vid, tids in annotations.tids_by_video().items():
        video = annotations.videos[vid]
        tubelets = {tid: annotations.tubelets[tid] for tid in tids}
        film = SEALAnnotations({vid: video}, tubelets, boxes=annotations.boxes, name=annotations.name)
        (result,) = to_results(film)
        joined += len(tubelets) - len(result.tubes)
        if layout == 'plain':
            write_mot_txt(result, film_file(folder, vid, '.txt'))
            continue
        for tube in result.tubes:
            tube.scores = np.ones_like(tube.scores)
        text = film_file(folder, vid, '/gt/gt.txt')
        write_mot_txt(result, text)
        # In ground truth the columns after the flag are class 1, a person, and what part of it is visible.
        write_text(text, read_text(text).replace(',-1,-1,-1\n', ',1,1\n'))
        rate = int(video.fps) if float(video.fps).is_integer() else repr(float(video.fps))
        lines = [
            *('[Sequence]', f'name={vid}', 'imDir=img1', f'frameRate={rate}', f'seqLength={video.num_frames}'),
            *(f'imWidth={video.width}', f'imHeight={video.height}', 'imExt=.jpg', ''),
        ]
        write_text(film_file(folder, vid, f'/{INFO}'), '\n'.join(lines))
    own = own_boxes(annotations)
    return counted(
        {
            'tubelets joined to people': joined,
            'flagged boxes': np.count_nonzero(annotations.boxes.flags[own]),
            'scores': np.count_nonzero(annotations.boxes.scores[own] != 1) if layout == 'challenge' else 0,
            'atomic instances': len(annotations.aa),
            'complex instances': len(annotations.ca),
        }
    )
