"""The threshold of a linker for a wanted rate of wrong merges, measured on annotated films."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config

from mmtube.evaluation.functional.link_threshold import ThresholdCurve, threshold_curve
from mmtube.evaluation.functional.linking import NOBODY, boxes_of_people, purity
from mmtube.evaluation.functional.track_pairs import overlaps
from mmtube.evaluation.readers.tracks import TrackTable, track_table
from mmtube.evaluation.scoring.tracks import numbered
from mmtube.evaluation.tables import align
from mmtube.models.trackers.tubelet_splitter import parted_pairs
from mmtube.structures import Tube, TubeletLook, VideoResult
from mmtube.structures.io.looks_npz import read_looks_npz, write_looks_npz

from .linking import FilmLinker
from .pipeline_config import build_stage
from .stages import with_looks

HIGHEST = 0.6  # merges above this cost are of no interest


@dataclass
class DescribedFilm:
    """A film whose tubelets were looked at.

    Args:
        name (str): The film, without suffix.
        result (VideoResult): Its tubelets.
        looks (Mapping[int, TubeletLook]): How they look.
    """

    name: str
    result: VideoResult
    looks: Mapping[int, TubeletLook]


def described_film(
    linker: FilmLinker, name: str, result: VideoResult, film: str | os.PathLike, cache: str | os.PathLike | None
) -> DescribedFilm:
    """Describe the tubelets of a film, or take what was kept of the last time.

    Times are those of the tubelets, whether the film is seen or not; of tubelets without shots they are the film's.

    Args:
        linker (FilmLinker): Its appearance and describer say how.
        name (str): The film, without suffix.
        result (VideoResult): Its tubelets, with the shots.
        film (str | os.PathLike): The film.
        cache (str | os.PathLike | None): Folder of what is kept; None keeps nothing.

    Raises:
        InputError: If the film cannot be used.
    """
    if not result.shots:  # then the film must be seen anyway
        return DescribedFilm(name, *linker.describe(result, film))
    if cache is None:
        return DescribedFilm(name, result, linker.describe(result, film)[1])
    path, key = Path(cache) / f'{name}.npz', _key(linker.cfg, result, Path(film))
    looks = read_looks_npz(path, key)
    if looks is None:
        looks = linker.describe(result, film)[1]
        write_looks_npz(looks, path, key)
    return DescribedFilm(name, result, looks)


def _key(cfg: Config, result: VideoResult, film: Path) -> str:
    """Return what tells whether looks are still those of these tubelets, this film and these stages."""
    stat = film.stat()
    stages = {key: cfg[key].to_dict() if cfg.get(key) else None for key in ('appearance', 'describer', 'frame_source')}
    digest = sha256(json.dumps([stages, film.name, stat.st_size, stat.st_mtime_ns], default=repr).encode())
    for tube in result.tubes:
        digest.update(np.int64(tube.track_id).tobytes() + tube.frame_inds.tobytes() + tube.boxes_px.tobytes())
        digest.update(tube.scores.tobytes() + tube.observed.tobytes())
    return digest.hexdigest()


def people_of_tubelets(
    truth: TrackTable, films: Mapping[str, list[Tube]], iou: float = 0.5, min_share: float = 0.1
) -> dict[str, dict[int, int]]:
    """Return whom each tubelet shows, by the rules of the protocol ``linking``.

    Args:
        truth (TrackTable): People.
        films (Mapping[str, list[Tube]]): Tubelets of each film.
        iou (float): Smallest IoU of a box with a person. Defaults to 0.5.
        min_share (float): Share of a tubelet's boxes that must show its person. Defaults to 0.1.

    Returns:
        dict[str, dict[int, int]]: By film and tubelet ID the number of the person, -1 for nobody.
    """
    found = track_table([(name, tubes, None) for name, tubes in films.items()], 'tubelets')
    truth, found = align(truth, found)
    gt, tracks = numbered(truth, found)
    person = boxes_of_people(gt, tracks, overlaps(gt, tracks), iou)
    counted = purity(person, tracks.track, len(gt.track_sequence), len(tracks.track_sequence))
    owner = np.where(counted.own >= min_share * tracks.lengths, counted.person, NOBODY)
    first = tracks.row[np.unique(tracks.track, return_index=True)[1]]
    owners: dict[str, dict[int, int]] = {name: {} for name in films}
    for row, whom in zip(first, owner.tolist()):
        owners[found.videos[found.video[row]]][int(found.ids[row])] = whom
    return owners


def calibrate(
    cfg: Config,
    films: list[DescribedFilm],
    truth: TrackTable,
    confidence: float,
    on_film: Callable[[int], None] | None = None,
) -> ThresholdCurve:
    """Link films once with a high threshold and see which merges were right.

    Args:
        cfg (Config): The pipeline; its splitter and linker are used.
        films (list[DescribedFilm]): Films with tubelets.
        truth (TrackTable): People; their IDs must end at shot changes, because nobody is linked over one.
        confidence (float): Of the upper bound of the rate of wrong merges.
        on_film (Callable | None): Called with the number of films done. Defaults to None.
    """
    linker = build_stage('linker', {**cfg.linker, 'max_cost': HIGHEST})
    splitter = build_stage('splitter', cfg.splitter) if cfg.get('splitter') else None
    tubelets, proposals = {}, {}
    for number, film in enumerate(films, start=1):
        tubes, looks, splits = film.result.tubes, film.looks, []
        if splitter is not None:
            tubes, looks, splits = splitter(tubes, looks)
        tubelets[film.name] = with_looks(tubes, looks)
        proposals[film.name] = linker.propose(tubelets[film.name], film.result.shots, looks, parted_pairs(splits))
        if on_film is not None:
            on_film(number)
    owners = people_of_tubelets(truth, tubelets)
    orders, needed = [], 0
    for film in films:
        of_film = owners[film.name]
        shown = [whom for whom in of_film.values() if whom != NOBODY]
        needed += len(shown) - len(set(shown))
        orders += _orders(film, tubelets[film.name], [p for p in proposals[film.name] if p.made], of_film)
    return threshold_curve(orders, needed, confidence)


def _orders(film: DescribedFilm, tubelets: list[Tube], made: list[Any], owner: Mapping[int, int]) -> list[tuple]:
    """Return costs, right and wrong of the merges of each shot, in the order in which they were made."""
    starts = np.array([start for start, _ in film.result.shots] or [0])
    begin = {tube.track_id: tube.frame_inds[0] for tube in tubelets}
    by_shot: dict[int, list[tuple[float, bool, bool]]] = {}
    for proposal in made:
        shot = int(np.searchsorted(starts, begin[proposal.earlier_id], side='right'))
        one, two = owner[proposal.earlier_id], owner[proposal.later_id]
        known = one != NOBODY and two != NOBODY
        by_shot.setdefault(shot, []).append((proposal.cost, known and one == two, known and one != two))
    columns = (zip(*rows) for rows in by_shot.values())
    return [(np.array(costs), np.array(right, bool), np.array(wrong, bool)) for costs, right, wrong in columns]


def calibrated_config(base: str, cfg_options: Mapping[str, Any], max_cost: float, notes: list[str]) -> str:
    """Return a config that inherits a pipeline and sets the threshold of its linker.

    Args:
        base (str): What it inherits.
        cfg_options (Mapping[str, Any]): Overrides with which the threshold was measured, keys joined by dots.
        max_cost (float): The threshold.
        notes (list[str]): Comments.
    """
    stages: dict[str, Any] = {}
    for key, value in {**cfg_options, 'linker.max_cost': max_cost}.items():
        parts = key.split('.')
        inside = stages
        for part in parts[:-1]:
            inside = inside.setdefault(part, {})
        inside[parts[-1]] = value
    lines = [f'_base_ = {base!r}', '', *(f'# {note}' for note in notes)]
    return '\n'.join([*lines, *(f'{key} = {value!r}' for key, value in stages.items())]) + '\n'
