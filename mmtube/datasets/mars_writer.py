"""Sequences of crops in the layout of MARS."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import scipy.io

from mmtube.errors import InputError
from mmtube.fileio import write_text
from mmtube.ops.crops import cut_boxes

from .appearances import Appearance
from .film_folder import find_film
from .frame_source import FrameSource

MOST_IDENTITIES = 9999  # the first four characters of a name are the person
# Colour at full resolution and little loss: crops are small, and a film has been compressed before.
JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
TABLE = ('part', 'tracklet', 'role', 'pid', 'camera', 'vid', 'person_id', 'first_frame', 'last_frame', 'images')


def query_rows(appearances: Sequence[Appearance], per_person: int = 1) -> np.ndarray:
    """Return (Q,) int64 appearances that are searched for: the first ones of each person, but never all of them.

    Args:
        appearances (Sequence[Appearance]): Those of a test split, of a person together and in the order of time.
        per_person (int): Queries of a person at most; one appearance at least stays in the gallery. Defaults to 1.
    """
    counts: dict[tuple[str, int], int] = {}
    for item in appearances:
        counts[item.vid, item.person_id] = counts.get((item.vid, item.person_id), 0) + 1
    wanted = [
        row
        for row, item in enumerate(appearances)
        if item.number <= min(per_person, counts[item.vid, item.person_id] - 1)
    ]
    return np.array(wanted, np.int64)


def write_mars(
    folder: Path,
    parts: dict[str, Sequence[Appearance]],
    videos: Path,
    *,
    queries_per_person: int = 1,
    suffix: str = '.jpg',
    on_frame: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Cut appearances out of films and write them as MARS is laid out.

    ``bbox_<part>/<pid>/<pid>C<camera>T<tracklet>F<image>.jpg``, ``info/<part>_name.txt``,
    ``info/tracks_<part>_info.mat`` and ``info/query_IDX.mat``; beyond MARS ``info/appearances.csv``, which says where
    each sequence comes from. People are numbered from 1 through the parts, and the same ID in two films is two people.
    The camera is the number of the appearance of that person: the protocol takes the right entries of the query's own
    camera out of the gallery, so an appearance is never its own answer and every other one of the person is.

    Each film is decoded once, a frame at a time. The folder appears when all is written.

    Args:
        folder (Path): Where to write; must not exist or be empty.
        parts (dict[str, Sequence[Appearance]]): ``'train'``, ``'test'`` or both.
        videos (Path): Folder of the films.
        queries_per_person (int): See :func:`query_rows`. Defaults to 1.
        suffix (str): ``'.jpg'``, or ``'.png'`` for crops without loss. Defaults to '.jpg'.
        on_frame (Callable | None): Called after each frame with how many of how many are decoded. Defaults to None.

    Returns:
        dict[str, int]: Counts: ``train_identities``, ``train_tracklets``, ``train_images``, the same of ``test``, and
        ``queries``.

    Raises:
        InputError: If there is nothing to write, a film is missing or shorter than its boxes say, or the folder cannot
            be written.
    """
    folder = Path(folder)
    if (folder.is_dir() and any(folder.iterdir())) or folder.is_file():
        raise InputError(f'{folder}: is there and not empty, crops go into a new folder')
    queries = query_rows(parts.get('test', ()), queries_per_person)
    if 'test' in parts and not len(queries):
        raise InputError(f'{folder}: nobody in the test split appears twice, there is nothing to search for')
    for part, appearances in parts.items():
        if not appearances:
            raise InputError(f'{folder}: the {part} split has no appearance that can be used')
    pids = _number_people(parts)
    if len(pids) > MOST_IDENTITIES:
        raise InputError(f'{folder}: {len(pids)} people, the layout of MARS has names for {MOST_IDENTITIES}')
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f'.{folder.name}.', dir=folder.parent))
    except OSError as error:
        raise InputError(f'{folder}: cannot be written ({error.strerror or error})') from None
    try:
        names = {part: _names(appearances, pids, part, suffix) for part, appearances in parts.items()}
        done, total = 0, sum(_needed_frames(appearances) for appearances in parts.values())
        for part, appearances in parts.items():
            for _ in _cut_films(staging / f'bbox_{part}', appearances, names[part], videos):
                done += 1
                if on_frame is not None:
                    on_frame(done, total)
            _write_lists(staging / 'info', part, appearances, names[part], pids)
        if 'test' in parts:
            scipy.io.savemat(staging / 'info' / 'query_IDX.mat', {'query_IDX': (queries + 1.0)[None]})
        write_text(staging / 'info' / 'appearances.csv', _table(parts, pids, queries))
        staging.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    counts = {'queries': len(queries)}
    for part, appearances in parts.items():
        people = {(item.vid, item.person_id) for item in appearances}
        counts[f'{part}_identities'], counts[f'{part}_tracklets'] = len(people), len(appearances)
        counts[f'{part}_images'] = sum(len(item.frame_inds) for item in appearances)
    return counts


def _number_people(parts: dict[str, Sequence[Appearance]]) -> dict[tuple[str, str, int], int]:
    """People from 1; a film that is in two parts has its people twice, which leakage checks are for."""
    pids: dict[tuple[str, str, int], int] = {}
    for part, appearances in parts.items():
        for item in appearances:
            pids.setdefault((part, item.vid, item.person_id), len(pids) + 1)
    return pids


def _names(appearances: Sequence[Appearance], pids: dict, part: str, suffix: str) -> list[list[str]]:
    """File names of each appearance."""
    stems = [
        f'{pids[part, item.vid, item.person_id]:04d}C{item.number}T{row:04d}' for row, item in enumerate(appearances, 1)
    ]
    return [
        [f'{stem}F{image:03d}{suffix}' for image in range(1, len(item.frame_inds) + 1)]
        for stem, item in zip(stems, appearances)
    ]


def _needed_frames(appearances: Sequence[Appearance]) -> int:
    """Frames that are decoded: those of each film up to the last one with a box."""
    last: dict[str, int] = {}
    for item in appearances:
        last[item.vid] = max(last.get(item.vid, 0), int(item.frame_inds[-1]) + 1)
    return sum(last.values())


def _cut_films(folder: Path, appearances: Sequence[Appearance], names: list[list[str]], videos: Path) -> Iterator[int]:
    """Write the crops; yields the index of each frame that is done with."""
    by_film: dict[str, list[int]] = {}
    for row, item in enumerate(appearances):
        by_film.setdefault(item.vid, []).append(row)
    for vid, rows in by_film.items():
        wanted: dict[int, list[tuple[Path, np.ndarray]]] = {}
        for row in rows:
            for frame, box, name in zip(appearances[row].frame_inds.tolist(), appearances[row].boxes_px, names[row]):
                wanted.setdefault(frame, []).append((folder / name[:4] / name, box))
        film = find_film(videos, vid)
        with FrameSource(film) as source:
            for frame in source:
                for path, box in wanted.pop(frame.index, ()):
                    _write_crop(path, cut_boxes(frame.image, box[None])[0], f'{film}: frame {frame.index}')
                yield frame.index
                if not wanted:
                    break
        if wanted:
            raise InputError(f'{film}: has no frame {min(wanted)}, in which somebody has a box')


def _write_crop(path: Path, crop: np.ndarray | None, where: str) -> None:
    if crop is None:
        raise InputError(f'{where}: a box lies outside the frame')
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), crop, JPEG if path.suffix == '.jpg' else []):
        raise InputError(f'{path}: cannot be written')


def _write_lists(info: Path, part: str, appearances: Sequence[Appearance], names: list[list[str]], pids: dict) -> None:
    write_text(info / f'{part}_name.txt', ''.join(f'{name}\n' for group in names for name in group))
    ends = np.cumsum([len(group) for group in names])
    people = [pids[part, item.vid, item.person_id] for item in appearances]
    columns = [ends - [len(group) for group in names] + 1, ends, people, [item.number for item in appearances]]
    matrix = np.stack([np.asarray(column, np.float64) for column in columns], axis=1)
    scipy.io.savemat(info / f'tracks_{part}_info.mat', {f'track_{part}_info': matrix})


def _table(parts: dict[str, Sequence[Appearance]], pids: dict, queries: np.ndarray) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator='\n')
    writer.writerow(TABLE)
    writer.writerows(_table_rows(parts, pids, set(queries.tolist())))
    return stream.getvalue()


def _table_rows(parts: dict[str, Sequence[Appearance]], pids: dict, queries: set[int]) -> Iterable[tuple]:
    for part, appearances in parts.items():
        for row, item in enumerate(appearances):
            role = 'train' if part == 'train' else 'query' if row in queries else 'gallery'
            pid, frames = pids[part, item.vid, item.person_id], item.frame_inds.tolist()
            yield part, row, role, pid, item.number, item.vid, item.person_id, frames[0], frames[-1], len(frames)
