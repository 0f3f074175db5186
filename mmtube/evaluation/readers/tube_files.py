"""People with their actions from annotations and results, and tubes in the pickle of the ACT scripts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.functional.people import Person
from mmtube.evaluation.tables import LARGEST, TubeTable
from mmtube.structures.io import load_pickle, read_result_json
from mmtube.structures.io.documents import read_json
from mmtube.structures.seal import SEALAnnotations, label_maps_beside, read_label_map, read_seal_json, seal_label_map


def people_of_annotations(annotations: SEALAnnotations, task: str) -> list[Person]:
    """Return the tubelets of annotations with the actions of a task; those without actions too."""
    table, rows_of = annotations.instances(task), annotations.rows_by_tubelet(task)
    key = 'aa' if task == 'atomic' else 'ca'
    people = []
    for tid, record in annotations.tubelets.items():
        track, rows = annotations.track(tid), rows_of.get(tid, np.zeros(0, np.int64))
        frames = track.frame_inds.astype(np.int64)
        people.append(
            Person(
                record.vid,
                record.person_id,
                frames,
                frames / annotations.videos[record.vid].fps,
                np.asarray(track.boxes_px, np.float64),
                np.stack([table.start_s[rows], table.end_s[rows]], 1),
                table.labels[rows],
                np.ones(len(rows)),
                [f'{key}[{row}]' for row in rows],
            )
        )
    return people


def read_people(path: str | os.PathLike, task: str, videos: Iterable[str], classes: Sequence[str]) -> list[Person]:
    """Read what the pipeline found: a result JSON, a folder of them, or annotations in the SEAL schema.

    A film is named by its file without the suffix. Where the videos of the ground truth have folders in their names, it
    is the one that ends so; if several do, the folder of the result tells.

    Args:
        path (str | os.PathLike): A file, or a folder whose JSON files are results.
        task (str): ``'atomic'`` or ``'complex'``.
        videos (Iterable[str]): Films of the ground truth.
        classes (Sequence[str]): Class names of the ground truth. Results that have names of their own are matched by
            name, others by number.

    Raises:
        InputError: If there is no result, one cannot be read, a film stands twice, or a class is unknown.
    """
    path = Path(path)
    if path.is_file() and 'format' not in read_json(path):
        return people_of_annotations(read_seal_json(path), task)
    files = sorted(path.rglob('*.json')) if path.is_dir() else [path]
    if not files:
        raise InputError(f'{path}: has no result (.json)')
    known, people, seen = _Films(videos), [], {}
    for file in files:
        result = read_result_json(file)
        video = known.name(result.video.name, file, path)
        if video in seen:
            raise InputError(f'{file}: is a second result of {video!r}, the first is {seen[video]}')
        seen[video] = file
        renumbered = _class_numbers(result.label_maps.get(task, []), classes)
        for number, tube in enumerate(result.tubes):
            some = [(place, segment) for place, segment in enumerate(tube.segments) if segment.task == task]
            places = [f'{file.name}: tubes[{number}].segments[{place}]' for place, _ in some]
            labels = [renumbered.get(segment.label, segment.label) for _, segment in some]
            for place, (_, segment), label in zip(places, some, labels):
                if not 0 <= label < len(classes):
                    told = result.label_name(task, segment.label)
                    raise InputError(f'{path}: {place}: the class {told!r} is none of the {len(classes)} known ones')
            segments_s = np.array([(segment.start_s, segment.end_s) for _, segment in some], float).reshape(-1, 2)
            scores = np.array([segment.score for _, segment in some], np.float64)
            columns = (tube.frame_inds, tube.times_s, tube.boxes_px.astype(np.float64), segments_s)
            people.append(Person(video, tube.track_id, *columns, np.array(labels, np.int64), scores, places))
    return people


class _Films:
    """Names of the ground truth's films, some of which have folders."""

    def __init__(self, videos: Iterable[str]) -> None:
        self.by_name: dict[str, list[str]] = {}
        for video in videos:
            self.by_name.setdefault(PurePosixPath(video).name, []).append(video)

    def name(self, film: str, file: Path, root: Path) -> str:
        stem = Path(film).stem
        candidates = self.by_name.get(stem, [stem])
        if len(candidates) == 1 or stem in candidates:
            return stem if stem in candidates else candidates[0]
        folder = file.parent.relative_to(root if root.is_dir() else root.parent).as_posix()
        inside = [video for video in candidates if f'{folder}/{stem}'.endswith(video) or folder.endswith(video)]
        if len(inside) != 1:
            raise InputError(f'{file}: {stem!r} may be any of {candidates}, its folder must tell which')
        return inside[0]


def _class_numbers(names: Sequence[str], classes: Sequence[str]) -> dict[int, int]:
    """Return for the numbers of a result those of the ground truth; -1 for a class that it does not know."""
    if not set(names) & set(classes):  # no names, or placeholders
        return {}
    place = {name: number for number, name in enumerate(classes)}
    return {number: place.get(name, -1) for number, name in enumerate(names)}


def classes_beside(path: str | os.PathLike, task: str, label_map: str | os.PathLike | None = None) -> list[str]:
    """Return the class names of annotations: of a label map, else of the one beside the file, else SEAL's.

    Raises:
        InputError: If the label map cannot be used.
    """
    if label_map is not None:
        return list(read_label_map(label_map, task).names)
    return list((label_maps_beside(path).get(task) or seal_label_map(task)).names)


def read_tube_pickle(path: str | os.PathLike, classes: Sequence[str]) -> TubeTable:
    """Read predicted tubes as the ACT and MultiSports scripts write them.

    Args:
        path (str | os.PathLike): Pickle of a dict (or a list) that has for each class, by its number or name, a list
            of tubes ``(video, score, rows)``; rows are (n, 5) frame, x1, y1, x2, y2, or (n, 6) with a score of the box,
            which is not used. Frames count from 1. Nothing in it is run.
        classes (Sequence[str]): Class names.

    Raises:
        InputError: If the file cannot be read, a class is unknown or a tube is of another form or not finite.
    """
    document = load_pickle(path)
    if isinstance(document, list):
        document = dict(enumerate(document))
    if not isinstance(document, dict):
        raise InputError(f'{path}: must be a dict or list with the tubes of each class')
    number = {name: place for place, name in enumerate(classes)}
    videos: dict[str, int] = {}
    columns: list[tuple[int, int, float, np.ndarray]] = []
    places = []
    for key, tubes in document.items():
        label = number.get(key, -1) if isinstance(key, str) else key
        if not isinstance(label, (int, np.integer)) or not 0 <= label < len(classes):
            raise InputError(f'{path}: [{key!r}]: is none of the {len(classes)} classes')
        if not isinstance(tubes, (list, tuple)):
            raise InputError(f'{path}: [{key!r}]: must be a list of tubes')
        for index, tube in enumerate(tubes):
            places.append(f'[{key!r}][{index}]')
            try:
                video, score, rows = _predicted_tube(tube)
            except (TypeError, ValueError) as error:
                raise InputError(f'{path}: {places[-1]}: {error}') from None
            columns.append((videos.setdefault(video, len(videos)), int(label), score, rows))
    rows = np.concatenate([np.zeros((0, 5)), *(column[3] for column in columns)])
    table = TubeTable(
        videos=list(videos),
        video=np.array([column[0] for column in columns], np.int64),
        labels=np.array([column[1] for column in columns], np.int64),
        scores=np.array([column[2] for column in columns], np.float64),
        name=str(path),
        place=lambda row: places[row],
        offsets=np.cumsum([0, *(len(column[3]) for column in columns)]),
        frames=rows[:, 0].astype(np.int64),
        boxes_px=rows[:, 1:],
    )
    table.check(len(classes))
    return table


def _predicted_tube(tube: Any) -> tuple[str, float, np.ndarray]:
    if not isinstance(tube, (list, tuple)) or len(tube) != 3:
        raise ValueError('a predicted tube is (video, score, rows)')
    video, score, rows = str(tube[0]), float(tube[1]), np.asarray(tube[2], np.float64)
    if rows.ndim != 2 or rows.shape[1] not in (5, 6):
        raise ValueError(f'rows must be (n, 5) or (n, 6): frame, x1, y1, x2, y2 and score; these are {rows.shape}')
    if not np.isfinite(rows[:, :5]).all():
        raise ValueError('a number is not finite')
    if (rows[:, 0] != np.floor(rows[:, 0])).any():
        raise ValueError('a frame is no whole number')
    if (np.abs(rows[:, 0]) > LARGEST).any():
        raise ValueError(f'a frame is beyond {LARGEST:g}')
    return video, score, rows[:, :5]


def rates_of(annotations: SEALAnnotations) -> Mapping[str, float]:
    """Return the frames per second of each film."""
    return {vid: video.fps for vid, video in annotations.videos.items()}
