"""Boxes with IDs: MOTChallenge text, SEAL annotations, results of the library; single files and folders."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.readers.tubelets import read_tubelets
from mmtube.evaluation.tables import BoxTable
from mmtube.fileio import read_text
from mmtube.structures import Tube, VideoResult
from mmtube.structures.io import read_mot_txt, read_result_json
from mmtube.structures.seal.convert.results import to_results

COUNTED, LEFT_OUT, DISTRACTOR = 0, 1, 2
PEDESTRIAN = 1
LAYOUTS = ('auto', 'mot15', 'mot16')
MAX_FRAMES = 2**31


@dataclass(frozen=True, eq=False)
class TrackTable(BoxTable):
    """Boxes with IDs. Labels are ``COUNTED`` for people, ``LEFT_OUT`` for ground truth that is not to be considered and
    ``DISTRACTOR`` for what looks like a person and may be found or not.

    Args:
        ids (np.ndarray): (N,) int64 ID, unique in a frame.
        tubelets (np.ndarray): (N,) int64 ID that the tracker gave, before tubelets were linked.
        times_s (np.ndarray): (N,) float64 seconds, NaN where they are not known.
    """

    ids: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    tubelets: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    times_s: np.ndarray = field(default_factory=lambda: np.zeros(0))

    COLUMNS = (*BoxTable.COLUMNS, 'ids', 'tubelets', 'times_s')

    def check(self, num_classes: int = 3) -> None:
        """See that the rows can be scored.

        Raises:
            InputError: If a coordinate is not finite, a box reversed, a frame negative or none that a film has, or an
                ID stands twice in a frame.
        """
        super().check(num_classes)
        self.refuse(self.frames < 0, 'the frame is negative')
        self.refuse(self.frames >= MAX_FRAMES, f'no film has {MAX_FRAMES} frames')
        order = np.lexsort((self.ids, self.frames, self.video))
        keys = np.stack([self.video, self.frames, self.ids])[:, order]
        again = np.zeros(len(self), bool)
        again[order[1:]] = (np.diff(keys) == 0).all(axis=0)
        self.refuse(again, 'the ID has a box in this frame already')


def track_table(
    films: Iterable[tuple[str, Sequence[Tube], np.ndarray | None]], name: str, *, first_frame: int = 0
) -> TrackTable:
    """Make a table from the tubes of films.

    Args:
        films (Iterable[tuple]): Name of each film, its tubes, and the labels of their rows one after another or None if
            all count.
        name (str): Of the source, for messages.
        first_frame (int): Number that the source gives to frame index 0, for messages. Defaults to 0.

    Raises:
        InputError: If two films have one name, or a table cannot be scored (see :meth:`TrackTable.check`).
    """
    videos: list[str] = []
    columns: list[list[np.ndarray]] = []
    for number, (video, tubes, labels) in enumerate(films):
        if video in videos:
            raise InputError(f'{name}: two films have the name {video!r}')
        videos.append(video)
        for tube in tubes:
            rows = len(tube)
            own = np.zeros(rows, np.int64) if labels is None else labels[:rows]
            labels = None if labels is None else labels[rows:]
            both = (np.full(rows, number), own, tube.frame_inds, tube.boxes_px.astype(np.float64))
            columns.append([*both, np.full(rows, tube.track_id), tube.tubelet_ids, tube.times_s])
    none = [np.zeros(0, np.int64)] * 3 + [np.zeros((0, 4)), *[np.zeros(0, np.int64)] * 2, np.zeros(0)]
    video_of, labels_of, frames, boxes, ids, tubelets, times_s = (
        np.concatenate(parts) for parts in zip(none, *columns)
    )

    def place(row: int) -> str:
        return f'{videos[video_of[row]]!r}, frame {frames[row] + first_frame}, ID {ids[row]}'

    table = TrackTable(
        videos, video_of, labels_of, None, name, place, frames, boxes, ids=ids, tubelets=tubelets, times_s=times_s
    )
    table.check()
    return table


def read_track_files(
    gt: str | os.PathLike, pred: str | os.PathLike, *, layout: str = 'auto', distractors: Sequence[int] = ()
) -> tuple[TrackTable, TrackTable]:
    """Read ground truth and predictions of one kind each.

    Args:
        gt (str | os.PathLike): MOT text, a folder of it (``<seq>/gt/gt.txt``, ``gt/<seq>.txt`` or ``<seq>.txt``), or
            SEAL annotations (``.json``).
        pred (str | os.PathLike): MOT text, a result (``.json``), or a folder of either. A single file belongs to the
            single sequence of ``gt``, whatever it is called.
        layout (str): Of MOT ground truth, see :func:`read_mot_truth`. Defaults to 'auto'.
        distractors (Sequence[int]): Likewise. Defaults to none.

    Raises:
        InputError: If a file cannot be used.
    """
    truth = read_truth(gt, layout=layout, distractors=distractors)
    found = read_predictions(pred)
    if Path(gt).is_file() and Path(gt).suffix != '.json' and Path(pred).is_file():
        found = replace(found, videos=list(truth.videos))
    return truth, found


def read_truth(path: str | os.PathLike, *, layout: str = 'auto', distractors: Sequence[int] = ()) -> TrackTable:
    """Read ground truth: SEAL annotations (``.json``), MOT text, or a folder of it.

    Raises:
        InputError: If a file cannot be used.
    """
    if Path(path).suffix == '.json' and not Path(path).is_dir():
        annotations = read_tubelets(path)
        vids = annotations.tids_by_video()
        films = [(vid, result.tubes, None) for vid, result in zip(vids, to_results(annotations), strict=True)]
        return track_table(films, str(path))
    texts = _truth_texts(Path(path))
    films = [(name, *read_mot_truth(text, layout=layout, distractors=distractors)) for name, text in texts]
    return track_table(films, str(path), first_frame=1)


def read_mot_truth(
    path: str | os.PathLike, *, layout: str = 'auto', distractors: Sequence[int] = ()
) -> tuple[list[Tube], np.ndarray]:
    """Read MOT ground truth with what its flag and class say.

    Args:
        path (str | os.PathLike): The text. Column 7 is the flag "to be considered".
        layout (str): ``'mot15'``: no classes; ``'mot16'`` (and later): column 8 is the class, 1 for pedestrians;
            ``'auto'``: ``'mot16'`` if rows have nine columns. Defaults to 'auto'.
        distractors (Sequence[int]): Classes of what looks like a person. Defaults to none.

    Returns:
        tuple: Tubes ordered by ID, with the times of ``seqinfo.ini`` or NaN; (N,) int64 labels of their rows.

    Raises:
        InputError: If the file cannot be used.
    """
    if layout not in LAYOUTS:
        raise ValueError(f'layout must be one of {LAYOUTS}, got {layout!r}')
    tubes = _timed(read_mot_txt(path), _frame_rate(Path(path)))
    flags = np.concatenate([tube.scores for tube in tubes]) if tubes else np.zeros(0)
    labels = np.where(flags == 0, LEFT_OUT, COUNTED)
    lines = [line for line in read_text(path).removeprefix('\ufeff').splitlines() if line.strip()]
    delimiter = ',' if lines and ',' in lines[0] else None
    width = len(lines[0].split(delimiter)) if lines else 0
    if not lines or layout == 'mot15' or (layout == 'auto' and width != 9):
        return tubes, labels
    try:
        keys = np.loadtxt(lines, delimiter=delimiter, usecols=(0, 1, 7), comments=None, ndmin=2)
    except ValueError as error:
        raise InputError(f'{path}: has no class in column 8 of each row ({" ".join(str(error).split())})') from None
    classes = keys[np.lexsort((keys[:, 0], keys[:, 1])), 2]
    labels[classes != PEDESTRIAN] = LEFT_OUT
    labels[np.isin(classes, list(distractors))] = DISTRACTOR
    return tubes, labels


def read_predictions(path: str | os.PathLike) -> TrackTable:
    """Read predictions: MOT text, a result (``.json``), or a folder of either; an empty folder is refused.

    Raises:
        InputError: If a file cannot be used.
    """
    files, names = prediction_files(path)
    if files[0].suffix == '.json':
        films = [(name, result.tubes, None) for name, result in map(_named_result, files)]
        return track_table(films, str(path))
    films = [(name, _timed(read_mot_txt(file), None), None) for name, file in zip(names, files)]
    return track_table(films, str(path), first_frame=1)


def prediction_files(path: str | os.PathLike) -> tuple[list[Path], list[str]]:
    """Return the files of predictions, results (``.json``) or texts, and the names of the films by their places.

    Args:
        path (str | os.PathLike): A file or a folder; of a folder the results, or else the texts.

    Raises:
        InputError: If it is a folder that has none.
    """
    folder = Path(path)
    if not folder.is_dir():
        return [folder], [folder.stem]
    for suffix in ('.json', '.txt'):
        nested = (folder / 'data').is_dir() and not any(folder.glob(f'*{suffix}'))  # where TrackEval keeps them
        inside = folder / 'data' if nested else folder
        files = sorted(inside.rglob(f'*{suffix}'))
        if files:
            return files, [file.relative_to(inside).with_suffix('').as_posix() for file in files]
    raise InputError(f'{path}: has neither <sequence>.txt nor results (.json)')


def read_results(path: str | os.PathLike) -> list[tuple[str, VideoResult]]:
    """Read a result of the library, or a folder of them.

    Returns:
        list[tuple[str, VideoResult]]: Name of the film, as annotations have it, and its result.

    Raises:
        InputError: If there is no result or one cannot be read.
    """
    files = sorted(Path(path).rglob('*.json')) if Path(path).is_dir() else [Path(path)]
    if not files:
        raise InputError(f'{path}: has no result (.json)')
    return [_named_result(file) for file in files]


def _named_result(file: Path) -> tuple[str, VideoResult]:
    result = read_result_json(file)
    return film_name(result.video.name or file.name), result


def film_name(name: str) -> str:
    """Return what annotations call a film: its file name without the suffix."""
    return PurePath(name).with_suffix('').as_posix()


def _truth_texts(path: Path) -> list[tuple[str, Path]]:
    if not path.is_dir():
        home = path.absolute().parent
        home = home.parent if home.name == 'gt' else home
        return [(home.name if path.stem == 'gt' else path.stem, path)]
    found = {}
    for text in sorted(path.rglob('gt.txt')):
        home = text.parent.parent if text.parent.name == 'gt' else text.parent
        found[home.relative_to(path).as_posix()] = text
    if not found:
        inside = path / 'gt' if (path / 'gt').is_dir() else path
        found = {text.relative_to(inside).with_suffix('').as_posix(): text for text in sorted(inside.rglob('*.txt'))}
    if not found:
        raise InputError(f'{path}: has neither <sequence>/gt/gt.txt nor <sequence>.txt')
    return sorted(found.items())


def _frame_rate(text: Path) -> float | None:
    home = text.parent.parent if text.parent.name == 'gt' else text.parent
    info = home / 'seqinfo.ini'
    if not info.is_file():
        return None
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(info))
        rate = parser.getfloat('Sequence', 'frameRate', fallback=0.0)
    except (configparser.Error, ValueError) as error:
        raise InputError(f'{info}: {" ".join(str(error).split())}') from None
    return rate if 0 < rate < np.inf else None


def _timed(result: VideoResult, fps: float | None) -> list[Tube]:
    for tube in result.tubes:
        tube.times_s = tube.frame_inds / fps if fps else np.full(len(tube), np.nan)
    return result.tubes
