"""From annotation files to columns, for each kind of data set; wrong rows stay in."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import numpy as np

from mmtube.datasets.quality import Columns
from mmtube.errors import InputError
from mmtube.fileio import read_text
from mmtube.structures.io.safe_pickle import load_pickle
from mmtube.structures.seal import Finding, SEALAnnotations, VideoRecord

from .columns import Boxes, Column, Frames, Keys, Labels, Times

Names = Mapping[int, str]
NUMBER = re.compile(r'\s*[-+]?(\d+\.?\d*|\.\d+|nan|inf(inity)?)(e[-+]?\d+)?\s*', re.IGNORECASE)


def seal_columns(annotations: SEALAnnotations, task: str, names: Names | None, read: list[Finding]) -> list[Column]:
    """Return labels, segments and boxes of annotations in the SEAL schema.

    Args:
        annotations (SEALAnnotations): What was read.
        task (str): ``'atomic'`` or ``'complex'``.
        names (Mapping[int, str] | None): Class names by label.
        read (list[Finding]): What reading found.
    """
    columns, file = Columns(annotations, read), annotations.name
    instances = columns.aa if task == 'atomic' else columns.ca
    table = instances.table
    video = np.append(columns.tubelet_video, -1)[instances.tubelet]
    duration = np.array([record.duration_s for record in annotations.videos.values()] + [np.nan], np.float64)
    fps = np.append(columns.fps, np.nan)
    sizes = np.column_stack([np.append(columns.width, 0), np.append(columns.height, 0)]).astype(np.float32)
    sizes[-1] = np.nan
    spans = np.column_stack([table.start_s, table.end_s])
    tids = np.unique(table.tids, return_inverse=True)[1].reshape(-1)
    boxes = annotations.boxes

    def box_place(row: int) -> str:
        return columns.box_place(row, row)

    return [
        Labels(file, instances.place, table.labels, names),
        Times(file, instances.place, spans, video, duration[video], fps[video]),
        Keys(file, instances.place, np.column_stack([tids, table.labels, spans]).astype(np.float64), 'instance'),
        Boxes(file, box_place, boxes.boxes_px, sizes[columns.box_video]),
    ]


def ava_columns(
    path: str | os.PathLike, names: Names | None, films: Mapping[str, VideoRecord], zero_s: float = 0.0
) -> list[Column]:
    """Return labels, boxes and key times of a csv of AVA; key times without people are passed over.

    Args:
        path (str | os.PathLike): ``video,timestamp,x1,y1,x2,y2,action[,person]``.
        names (Mapping[int, str] | None): Class names by label.
        films (Mapping[str, VideoRecord]): What is known of films; others are not compared with their length and size.
        zero_s (float): Timestamp of the first frame. Defaults to 0.

    Raises:
        InputError: If the file cannot be read, or a row has other columns or something that is no number.
    """
    lines = read_text(path).removeprefix('\ufeff').splitlines()
    lists = [(number, line.split(',')) for number, line in enumerate(lines, 1) if line.strip()]
    rows = [(number, cells) for number, cells in lists if any(cells[2:])]
    wrong = next((number for number, cells in lists if len(cells) not in ((7, 8) if any(cells[2:]) else (2, 7, 8))), 0)
    if wrong:
        raise InputError(f'{path}:{wrong}: needed are video,timestamp,x1,y1,x2,y2,action[,person]')
    try:
        values = np.array([row[1:7] for _, row in rows], np.float64).reshape(-1, 6)
    except ValueError:
        number, cell = next((number, cell) for number, row in rows for cell in row[1:7] if not NUMBER.fullmatch(cell))
        raise InputError(f'{path}:{number}: {cell!r} is no number') from None
    numbers = [number for number, _ in rows]
    vids, video = np.unique([row[0].strip() for _, row in rows], return_inverse=True)
    video = video.reshape(-1)
    known = [films.get(vid) for vid in vids.tolist()]
    facts = np.array([_facts(film) for film in known], np.float64).reshape(-1, 4)[video]
    key_s = values[:, 0] - zero_s

    def place(row: int) -> str:
        return f'line {numbers[row]}'

    labels = np.where(np.isfinite(values[:, 5]), values[:, 5], -1).astype(np.int64)
    file = str(path)
    return [
        Labels(file, place, labels, names),
        Times(file, place, np.column_stack([key_s, key_s]), video, facts[:, 3], facts[:, 2], True, zero_s),
        Keys(file, place, np.column_stack([video, values])),
        Boxes(file, place, values[:, 1:5], facts[:, :2], fractions=True),
    ]


def _facts(film: VideoRecord | None) -> tuple[float, float, float, float]:
    return (np.nan,) * 4 if film is None else (film.width, film.height, film.fps, film.duration_s)


def act_columns(path: str | os.PathLike, vids: set[str] | None = None) -> list[Column]:
    """Return labels, boxes and frames of a ground-truth pickle of UCF101-24, JHMDB or MultiSports.

    Args:
        path (str | os.PathLike): The pickle; nothing in it is run.
        vids (set[str] | None): Films to look at. Defaults to None, all.

    Raises:
        InputError: If it cannot be read or is of another form.
    """
    document = load_pickle(path)
    keys = ('labels', 'gttubes', 'nframes', 'resolution')
    if not isinstance(document, dict) or any(key not in document for key in keys):
        raise InputError(f'{path}: must hold {", ".join(keys)}')
    tubes, films, labels, places = [], [], [], []
    for vid, classes in document['gttubes'].items():
        if vids is not None and vid not in vids:
            continue
        for label, found in classes.items():
            for index, tube in enumerate(found):
                tube = np.asarray(tube, np.float64)
                place = f'gttubes[{vid!r}][{label!r}][{index}]'
                if tube.ndim != 2 or tube.shape[1] != 5:
                    raise InputError(f'{path}: {place}: must be rows of frame, x1, y1, x2, y2, not {tube.shape}')
                tubes.append(tube)
                films.append(vid)
                labels.append(int(label))
                places.append(place)
    lengths = [len(tube) for tube in tubes]
    boxes = np.concatenate([np.zeros((0, 5)), *tubes])
    owner = np.repeat(np.arange(len(tubes)), lengths)
    known = {vid: number for number, vid in enumerate(dict.fromkeys(films))}
    # Of size and length the format says height before width.
    sizes = np.array([document['resolution'].get(vid, (np.nan, np.nan))[::-1] for vid in known], np.float64)
    counts = np.array([document['nframes'].get(vid, np.iinfo(np.int32).max) for vid in known], np.int64)
    film = np.array([known[vid] for vid in films], np.int64)[owner] if tubes else np.zeros(0, np.int64)

    def box_place(row: int) -> str:
        return f'{places[owner[row]]} row {row - int(np.searchsorted(owner, owner[row]))}'

    def tube_key(number: int) -> float:
        return float(same.setdefault((films[number], labels[number], tubes[number].tobytes()), len(same)))

    same: dict[tuple[str, int, bytes], int] = {}
    file, names = str(path), dict(enumerate(map(str, document['labels'])))
    return [
        Labels(file, places.__getitem__, np.array(labels, np.int64), names),
        Frames(file, box_place, boxes[:, 0], film, counts[film]),
        Keys(file, places.__getitem__, np.array([tube_key(number) for number in range(len(tubes))]), 'tube'),
        Boxes(file, box_place, boxes[:, 1:], sizes.reshape(-1, 2)[film]),
    ]
