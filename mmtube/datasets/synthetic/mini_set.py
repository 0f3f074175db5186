"""SEAL-mini as a folder: films and annotations in the schema of SEAL."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import read_text, write_text
from mmtube.structures.io import FilmWriter
from mmtube.structures.seal import (
    ClassRank,
    LabelMap,
    SEALAnnotations,
    read_seal_json,
    write_class_rank,
    write_label_map,
    write_seal_json,
)

from .annotation.coarse import CoarseTracks, trace
from .annotation.sight import look
from .annotation.truth import IDS_PER_SHOT, merge, object_annotations, people_annotations, rows_of, subject_annotations
from .direction.activities import COMPLEX_NAMES
from .direction.director import direct
from .numerics import generator
from .options import PREMIERES, SPLITS, SetOptions
from .picture.renderer import FilmRenderer
from .script import FilmScript
from .vocabulary import ATOMIC_ACTIONS, ATOMIC_NAMES, OBJECT, PERSON, POSE

KINDS = ('subjects', 'people', 'coarse', 'objects')
KEY_EVERY = 25  # frames: seeking costs a second of decoding at most
OF_COARSE = 7  # stream of chance, after the seed of the film
ONE_THREAD = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS')


@dataclass
class FilmReport:
    """What making a film took.

    Args:
        name (str): File name without suffix.
        frames (int): Number of frames.
        script_s, body_s, truth_s, draw_s, encode_s (float): Seconds of each part; 0 where it was there already.
    """

    name: str
    frames: int
    script_s: float = 0.0
    body_s: float = 0.0
    truth_s: float = 0.0
    draw_s: float = 0.0
    encode_s: float = 0.0

    @property
    def total_s(self) -> float:
        """Seconds altogether."""
        return self.script_s + self.body_s + self.truth_s + self.draw_s + self.encode_s


def film_truth(script: FilmScript, renderer: FilmRenderer, seed: tuple[int, ...]) -> dict[str, SEALAnnotations]:
    """Return all annotations of a film.

    Args:
        script (FilmScript): The film.
        renderer (FilmRenderer): Its bodies, furniture and objects.
        seed (tuple[int, ...]): Seed of the film; the faults of the coarse tubelets follow from it.

    Returns:
        dict[str, SEALAnnotations]: By kind, see ``KINDS``.
    """
    bodies = [renderer.body(person) for person in range(len(script.people))]
    sights = look(script, bodies, [renderer.occluders(shot) for shot in range(len(script.shots))])
    coarse = CoarseTracks(generator(*seed, OF_COARSE), script, sights)
    subjects = subject_annotations(script, sights)
    person_of = {tid: record.person_id % IDS_PER_SHOT for tid, record in subjects.tubelets.items()}
    return {
        'subjects': trace(subjects, coarse, person_of),
        'people': people_annotations(script, sights),
        'coarse': coarse.annotations(),
        'objects': object_annotations(script, [renderer.prop_boxes_px(prop) for prop in range(len(script.props))]),
    }


def make_film(options: SetOptions, split: str, number: int, folder: str | os.PathLike) -> FilmReport:
    """Make one film and its annotations; the film appears last, when all else is there.

    Args:
        options (SetOptions): Options of the set.
        split (str): ``'train'``, ``'val'`` or ``'test'``.
        number (int): Number of the film in its split.
        folder (str | os.PathLike): Folder of the set.
    """
    clock = [time.perf_counter()]
    script = direct(options, split, number)
    path = film_path(folder, script.name)
    parts = part_path(folder, script.name, 'any').parent
    for leftover in (*path.parent.glob(f'.{path.stem}.*'), *parts.glob('.*')):
        leftover.unlink()  # of a process that was killed
    clock.append(time.perf_counter())
    renderer = FilmRenderer(script)
    clock.append(time.perf_counter())
    report = FilmReport(script.name, script.num_frames)
    for kind, truth in film_truth(script, renderer, options.film_seed(split, number)).items():
        write_seal_json(truth, part_path(folder, script.name, kind))
    clock.append(time.perf_counter())
    report.script_s, report.body_s, report.truth_s = np.diff(clock).tolist()
    with FilmWriter(
        path, script.size, options.crf, options.preset, threads=1, matrix='bt601', key_every=KEY_EVERY
    ) as film:
        for index in range(script.num_frames):
            started = time.perf_counter()
            image = renderer.draw(index)
            drawn = time.perf_counter()
            film.write(image, index / script.fps)
            report.draw_s += drawn - started
            report.encode_s += time.perf_counter() - drawn
    return report


def film_path(folder: str | os.PathLike, name: str) -> Path:
    """Return where a film lies."""
    return Path(folder) / 'videos' / f'{name}.mp4'


def part_path(folder: str | os.PathLike, name: str, kind: str) -> Path:
    """Return where the annotations of one film lie, of which those of the set are made."""
    return Path(folder) / '.films' / name / f'{kind}.json'


def render_films(
    options: SetOptions,
    folder: str | os.PathLike,
    workers: int = 1,
    *,
    force: bool = False,
) -> Iterator[FilmReport]:
    """Make the films of a set that are not there yet.

    Args:
        options (SetOptions): Options of the set.
        folder (str | os.PathLike): Folder of the set; it is created.
        workers (int): Number of processes. Defaults to 1, this one.
        force (bool): Whether films made with other options are made again. Defaults to False.

    Yields:
        FilmReport: Each film as it is done; those that are there already come first, with no seconds.

    Raises:
        InputError: If the folder holds films made with other options or by another version of the library, or cannot
            be written, or if a process was killed.
        ValueError: If ``workers`` is not positive.
    """
    if workers < 1:
        raise ValueError(f'workers must be positive, got {workers}')
    keep = _check_options(options, Path(folder), force)
    todo = []
    for name, split, number in options.film_names():
        if keep and film_path(folder, name).exists() and all(part_path(folder, name, kind).exists() for kind in KINDS):
            frames = read_seal_json(part_path(folder, name, 'people')).videos[name].num_frames
            yield FilmReport(name, frames)
        else:
            todo.append((options, split, number, str(folder)))
    if workers == 1 or len(todo) < 2:
        yield from (make_film(*task) for task in todo)
        return
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, '1'))  # the processes inherit it
    try:
        context = multiprocessing.get_context('spawn')
        with ProcessPoolExecutor(
            min(workers, len(todo)), mp_context=context, initializer=cv2.setNumThreads, initargs=(1,)
        ) as pool:
            tasks = [pool.submit(make_film, *task) for task in todo]
            try:
                for task in as_completed(tasks):
                    yield task.result()
            except BrokenProcessPool:
                cause = 'a process was killed, perhaps for want of memory'
                raise InputError(f'{folder}: {cause}; the same command goes on where it stopped') from None
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def fingerprint(options: SetOptions) -> str:
    """Return a hash that changes when the library makes other films of the same options.

    It covers where the people and objects of the first training films are, which show each activity at least once, and
    of three of them the annotations and a frame.
    """
    digest = hashlib.sha256()
    for number in range(-(-len(COMPLEX_NAMES) // PREMIERES)):
        script = direct(options, 'train', number)
        renderer = FilmRenderer(script)
        tracks = [renderer.body(person).boxes_px() for person in range(len(script.people))]
        tracks += [renderer.prop_boxes_px(prop) for prop in range(len(script.props))]
        for track in tracks:
            digest.update(np.nan_to_num(track).tobytes())
        if number < 3:
            digest.update(renderer.draw(script.num_frames // 2).tobytes())
            for part in film_truth(script, renderer, options.film_seed('train', number)).values():
                digest.update(part.boxes.boxes_px.tobytes() + part.boxes.flags.tobytes())
                digest.update(repr((part.tubelets, rows_of(part.aa), rows_of(part.ca))).encode())
    return digest.hexdigest()


def _check_options(options: SetOptions, folder: Path, force: bool) -> bool:
    """Return whether films that are there may stay; how many there are to be does not change a film."""
    path = folder / 'options.json'
    told = {key: value for key, value in asdict(options).items() if key != 'films'}
    text = json.dumps({**told, 'fingerprint': fingerprint(options)}, indent=1) + '\n'
    if path.exists() and read_text(path) == text:
        return not force
    ours = [film for film in (folder / 'videos').glob('*.mp4') if (folder / '.films' / film.stem).is_dir()]
    if (path.exists() or ours) and not force:
        cause = 'the films were made with other options or by another version'
        raise InputError(f'{path}: {cause}; give another folder, or --force to make them again')
    for film in ours:
        film.unlink()
    write_text(path, text)
    return False


def write_annotations(options: SetOptions, folder: str | os.PathLike, command: str = '') -> dict[str, SEALAnnotations]:
    """Write the annotations of a set whose films are there.

    ``annotations/<split>.json`` holds the subjects, ``people_``, ``coarse_`` and ``objects_<split>.json`` what their
    names say; beside them are label maps, class ranks and, in the folder of the set, ``README.txt``.

    Args:
        options (SetOptions): Options of the set.
        folder (str | os.PathLike): Folder of the set.
        command (str): How the set was made, for ``README.txt``. Defaults to ''.

    Returns:
        dict[str, SEALAnnotations]: The subjects by split.
    """
    out = Path(folder) / 'annotations'
    subjects = {}
    for split in SPLITS:
        names = [name for name, of, _ in options.film_names() if of == split]
        for kind in KINDS:
            parts = merge(read_seal_json(part_path(folder, name, kind)) for name in names)
            write_seal_json(parts, out / (f'{split}.json' if kind == 'subjects' else f'{kind}_{split}.json'))
            if kind == 'subjects':
                subjects[split] = parts
    for label_map in label_maps():
        write_label_map(label_map, out / f'label_map_{label_map.task}.json')
        labels = np.concatenate([subjects[split].instances(label_map.task).labels for split in ('train', 'val')])
        source = 'instances of training and validation, SEAL-mini'
        rank = ClassRank.count(label_map.task, labels, len(label_map), source)
        write_class_rank(rank, out / f'class_rank_{label_map.task}.json', replace=True)
    write_text(Path(folder) / 'README.txt', _readme(options, subjects, command))
    return subjects


def label_maps() -> tuple[LabelMap, LabelMap]:
    """Return the label maps of SEAL-mini, atomic and complex."""
    groups, start = {}, 0
    for group in (POSE, PERSON, OBJECT):
        end = start + sum(action.group == group for action in ATOMIC_ACTIONS)
        groups[group], start = (start, end), end
    return LabelMap('atomic', ATOMIC_NAMES, groups), LabelMap('complex', COMPLEX_NAMES)


def _readme(options: SetOptions, subjects: dict[str, SEALAnnotations], command: str) -> str:
    lines = [
        'SEAL-mini: rendered films with annotations in the schema of SEAL. It is a test bench, not SEAL: numbers on it',
        'are SEAL-mini numbers and say nothing about real video.',
        '',
        'videos/                        the films',
        'annotations/<split>.json       subjects: tubelets, atomic actions (aa), complex activities (ca)',
        'annotations/people_<split>     everybody, one ID through the film: truth for detection, tracking, re-ID',
        'annotations/coarse_<split>     coarse tubelets as a detector and a tracker would give them',
        'annotations/objects_<split>    boxes of the objects',
        'annotations/label_map_*, class_rank_*',
        '',
    ]
    for split, part in subjects.items():
        frames = sum(video.num_frames for video in part.videos.values())
        lines.append(
            f'{split}: {len(part.videos)} films, {frames} frames, {len(part.tubelets)} tubelets, {len(part.boxes)} '
            f'boxes, {len(part.aa)} atomic actions, {len(part.ca)} complex activities'
        )
    lines += ['', 'options: ' + json.dumps(asdict(options))]
    return '\n'.join(lines + ([f'made by: {command}'] if command else [])) + '\n'
