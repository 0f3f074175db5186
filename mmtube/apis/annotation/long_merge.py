"""Step 3, long merge: tubelets of one person are found by their looks over long time (SEAL, Sec. 3.2)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config

from mmtube.datasets.film_folder import find_film
from mmtube.errors import InputError
from mmtube.structures import LinkProposal
from mmtube.structures.io.documents import read_json, write_json
from mmtube.structures.seal import SEALAnnotations, TubeletRecord

from ..pipeline_config import build_stage
from ..stages import describe_tubelets
from .changes import ACCEPTED, PROPOSED, Change, ChangeList, decide
from .films import BadFilms, FilmParts
from .tables import assemble, tubes_by_person

STEP = 'long-merge'


class LongMergeStep:
    """Finds the merges of films.

    Args:
        cfg (Config): Pipeline; its frame source, appearance, describer and linker (a ``TubeLinker``) are used.
        films (str | os.PathLike): Folder of the films.

    Raises:
        InputError: If the folder is missing or a stage cannot be built.
    """

    def __init__(self, cfg: Config, films: str | os.PathLike) -> None:
        self.cfg, self.films = cfg, Path(films)
        if not self.films.is_dir():
            raise InputError(f'{films}: there is no such folder of films')
        self.appearance = build_stage('appearance', cfg.appearance)
        self.describer = build_stage('describer', cfg.describer) if cfg.get('describer') else None
        self.linker = build_stage('linker', cfg.linker)
        self.linker.max_overlap_frames = 0  # the schema has one box of a person in a frame

    def run(
        self,
        refined: SEALAnnotations,
        parts: Path,
        *,
        decided: ChangeList | None = None,
        apply: bool = True,
        on_film: Callable[[str, int, bool], None] | None = None,
    ) -> tuple[SEALAnnotations, ChangeList, BadFilms]:
        """Merge the tubelets of people.

        A merge only rewrites the ID of a person: tubelets keep their boxes, and the frames between them stay empty.

        Args:
            refined (SEALAnnotations): Tubelets of stage 2.
            parts (Path): Folder in which the merges of films are kept until all are done.
            decided (ChangeList | None): Decisions of a reviewer: only what is accepted is done. Defaults to None.
            apply (bool): Without decisions: whether all that is found is done, or only proposed. Defaults to True.
            on_film (Callable | None): Called after each film with its name, its number of merges and whether they were
                found now. Defaults to None.

        Returns:
            tuple[SEALAnnotations, ChangeList, BadFilms]: Tubelets of stage 3, without the films that could not be done;
            the merges; and those films.
        """
        store = FilmParts(parts, _read_merges, _write_merges)
        bad, found, vids = BadFilms(), [], []
        by_video = refined.tids_by_video()
        for vid, (merges, is_new) in bad.each(
            refined.videos, lambda vid: self._kept(refined, vid, by_video[vid], store)
        ):
            vids.append(vid)
            found += merges
            if on_film is not None:
                on_film(vid, len(merges), is_new)
        if not bad.causes:
            store.clear()
        rest = refined.only(set(vids))
        if decided is not None:
            decided = replace(decided, changes=[change for change in decided.changes if change.film in rest.videos])
        merges = ChangeList(STEP, decide(found, decided, apply))
        merges.persons = _persons_before(rest, merges.changes)
        records = {
            tid: replace(record, stage=3, origin=(tid,), person_id=person)
            for (tid, record), person in zip(rest.tubelets.items(), merge_persons(rest, merges.changes, STEP))
        }
        return assemble(rest, records, {tid: tuple(rest.track(tid)) for tid in records}), merges, bad

    def _kept(self, refined: SEALAnnotations, vid: str, tids: list[str], store: FilmParts) -> tuple[list[Change], bool]:
        if len({refined.tubelets[tid].person_id for tid in tids}) < 2:
            return [], True
        film = find_film(self.films, vid)
        stat, boxes = film.stat(), hash_of_boxes(refined, tids)
        used = {key: self.cfg.get(key) for key in ('frame_source', 'appearance', 'describer', 'linker')}
        settings = repr((str(film.resolve()), stat.st_size, stat.st_mtime_ns, boxes, used, refined.videos[vid]))
        return store.get(vid, settings, lambda: self._find(refined, vid, tids, film))

    def _find(self, refined: SEALAnnotations, vid: str, tids: list[str], film: Path) -> list[Change]:
        tubes, names = tubes_by_person(refined, vid, tids)
        with build_stage('frame_source', self.cfg.frame_source, path=str(film)) as source:
            _, _, looks = describe_tubelets(source, tubes, self.appearance, None, self.describer)
        # The schema counts time in frames of a constant rate, so gaps are measured in it and not in the film's times.
        proposals = self.linker.propose(tubes, list(refined.videos[vid].shots), looks)
        tubes = [tube for tube in tubes if len(tube)]
        ends = {tube.track_id: (names[int(tube.tubelet_ids[0])], names[int(tube.tubelet_ids[-1])]) for tube in tubes}
        spans = {tube.track_id: (int(tube.frame_inds[0]), int(tube.frame_inds[-1])) for tube in tubes}
        return [_told(vid, proposal, ends, spans) for proposal in proposals]


def _told(vid: str, link: LinkProposal, ends: dict[int, tuple[str, str]], spans: dict[int, tuple[int, int]]) -> Change:
    earlier, later = ends[link.earlier_id][1], ends[link.later_id][0]
    frames = (spans[link.earlier_id][1], spans[link.later_id][0])
    decision = ACCEPTED if link.made else PROPOSED
    return Change(
        vid, 'merge', earlier, later, frames, link.reason, decision, round(link.cost, 6), round(link.gap_s, 6)
    )


def _persons_before(annotations: SEALAnnotations, merges: Iterable[Change]) -> dict[str, int]:
    """Return the person of each tubelet of the people that merges name."""
    people = {
        (change.film, annotations.tubelets[name].person_id) for change in merges for name in (change.tubelet, change.to)
    }
    tubelets = annotations.tubelets.items()
    return {tid: record.person_id for tid, record in tubelets if (record.vid, record.person_id) in people}


def hash_of_boxes(annotations: SEALAnnotations, tids: list[str]) -> str:
    """Return what changes when the tubelets of a film or their boxes do."""
    digest = hashlib.sha256()
    for tid in tids:
        track = annotations.track(tid)
        digest.update(repr((tid, annotations.tubelets[tid].person_id)).encode())
        for column in (track.frame_inds, track.boxes_px, track.scores, track.flags):
            digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def merge_persons(annotations: SEALAnnotations, merges: list[Change], step: str) -> list[int]:
    """Return the person of each tubelet when the accepted merges are applied: the lowest ID of those that are merged.

    Args:
        annotations (SEALAnnotations): Tubelets; not changed.
        merges (list[Change]): Merges; others than accepted ones do nothing.
        step (str): Where they come from, for messages.

    Raises:
        InputError: If a merge names a tubelet that is not there, of another film, goes across a shot change, or would
            give a person two boxes in a frame.
    """
    people: dict[tuple[str, int], list[str]] = {}
    root: dict[tuple[str, int], tuple[str, int]] = {}
    for tid, record in annotations.tubelets.items():
        people.setdefault((record.vid, record.person_id), []).append(tid)
        root[record.vid, record.person_id] = (record.vid, record.person_id)

    def find(person: tuple[str, int]) -> tuple[str, int]:
        while root[person] != person:
            person = root[person]
        return person

    for number, change in enumerate(merges):
        if change.decision != ACCEPTED:
            continue
        where = f'{step}: changes[{number}]: merge of {change.tubelet!r} and {change.to!r}'
        pair = []
        for tid in (change.tubelet, change.to):
            if tid not in annotations.tubelets or annotations.tubelets[tid].vid != change.film:
                raise InputError(f'{where}: the film {change.film!r} has no tubelet {tid!r}')
            pair.append(annotations.tubelets[tid])
        _refuse_cut(annotations, pair, where)
        low, high = sorted(find((record.vid, record.person_id)) for record in pair)
        if low == high:
            continue
        ours, theirs = ([annotations.track(tid).frame_inds for tid in people[who]] for who in (low, high))
        shared = np.intersect1d(np.concatenate(ours), np.concatenate(theirs))
        if len(shared):
            raise InputError(f'{where}: the person would have two boxes in frame {shared[0]}')
        root[high] = low
        people[low] += people.pop(high)
    return [find((record.vid, record.person_id))[1] for record in annotations.tubelets.values()]


def _refuse_cut(annotations: SEALAnnotations, pair: list[TubeletRecord], where: str) -> None:
    starts = [first for first, _ in annotations.videos[pair[0].vid].shots]
    early, late = sorted(pair, key=lambda record: record.frame_range)
    cut = np.searchsorted(starts, early.frame_range[1] - 1, side='right')
    if cut < np.searchsorted(starts, late.frame_range[0], side='right'):
        raise InputError(f'{where}: would go across the shot change at frame {starts[cut]}')


def _write_merges(merges: list[Change], path: Path) -> None:
    write_json({'merges': [{**asdict(change), 'frames': list(change.frames)} for change in merges]}, path)


def _read_merges(path: Path) -> list[Change]:
    rows: list[dict[str, Any]] = read_json(path)['merges'].value
    return [Change(**{**row, 'frames': tuple(row['frames'])}) for row in rows]
