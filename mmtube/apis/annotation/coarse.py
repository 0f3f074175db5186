"""Step 1, coarse: films, or what was found in them, become tubelets of stage 1 (SEAL, Sec. 3.2)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config

from mmtube.datasets.film_facts import film_record
from mmtube.datasets.film_folder import find_film, list_films
from mmtube.errors import InputError
from mmtube.models.trackers import longest_tubes
from mmtube.ops import clip_boxes
from mmtube.structures import FrameDetections, Tube, VideoInfo, VideoResult
from mmtube.structures.io import read_mot_detections, read_mot_txt, read_result_json, write_result_json
from mmtube.structures.seal import SEALAnnotations, VideoRecord
from mmtube.structures.seal.convert import from_results

from ..pipeline_config import build_stage
from ..stages import StageClock, detect_people, refine_tubes, track_people
from .films import BadFilms, FilmParts

KINDS = ('detections', 'tracks', 'results')


class CoarseStep:
    """Finds the coarse tubelets of films.

    Args:
        cfg (Config): Pipeline; its detector, selector, shot detector, appearance, camera motion, tracker and gap filler
            are used, and ``top_k`` of its subject chooser is how many tubelets of a film are kept.
        films (str | os.PathLike | None): Folder of films, or one. Defaults to None: no film is looked at.
        found (tuple[str, str | os.PathLike] | None): One of ``'detections'``, ``'tracks'`` (folders of MOT text) and
            ``'results'`` (a folder of results), and the folder. Defaults to None: people are detected.
        videos (Mapping[str, VideoRecord] | None): Table of films, where no films are given. Defaults to None.
        split (str): Split of films that are in no table. Defaults to 'train'.
        device (str): Where the detector runs. Defaults to 'cpu'.

    Raises:
        InputError: If there are neither films nor something found, a folder is missing, or films have no facts.
    """

    def __init__(
        self,
        cfg: Config,
        films: str | os.PathLike | None = None,
        found: tuple[str, str | os.PathLike] | None = None,
        videos: Mapping[str, VideoRecord] | None = None,
        split: str = 'train',
        device: str = 'cpu',
    ) -> None:
        self.cfg, self.kind, self.split = cfg, found[0] if found else '', split
        self.films = None if films is None else Path(films)
        self.folder = Path(found[1]) if found else None
        self.videos = dict(videos or {})
        if self.folder is not None and not self.folder.is_dir():
            raise InputError(f'{self.folder}: there is no such folder of {self.kind}')
        if self.films is not None and not self.films.exists():
            raise InputError(f'{self.films}: there is no such film or folder of films')
        if self.folder is None and self.films is None:
            raise InputError('give films, or detections, tracks or results of films')
        if self.kind in ('detections', 'tracks') and self.films is None and not self.videos:
            raise InputError(f'{self.folder}: size and rate of the films are not known, tell the films or a table')
        self.chooser = build_stage('subject_chooser', cfg.subject_chooser) if cfg.get('subject_chooser') else None
        watching = self.films is not None and self.kind not in ('tracks', 'results')
        keys = ['tracker', 'gap_filler', *(('appearance', 'camera_motion') if watching else ())]
        keys += ['selector'] if self.kind in ('', 'detections') else []
        keys += ['shot_detector'] if self.films is not None and self.kind != 'results' else []
        self.stages = {key: build_stage(key, cfg[key]) for key in keys if cfg.get(key)}
        if not self.kind:
            self.stages['detector'] = build_stage('detector', cfg.detector, device=device)

    def vids(self) -> list[str]:
        """Return the films: those of the folder of what was found, else the films.

        Raises:
            InputError: If there is none.
        """
        if self.folder is not None:
            suffix = '.json' if self.kind == 'results' else '.txt'
            files = self.folder.rglob('*.json') if self.kind == 'results' else self.folder.glob('*.txt')
            names = sorted(path.relative_to(self.folder).as_posix().removesuffix(suffix) for path in files)
            if not names:
                raise InputError(f'{self.folder}: has no {suffix} of a film')
            return names
        assert self.films is not None
        return [film.stem for film in list_films(self.films)] if self.films.is_dir() else [self.films.stem]

    def run(
        self, parts: Path, on_film: Callable[[str, int, bool], None] | None = None
    ) -> tuple[SEALAnnotations, BadFilms]:
        """Find the tubelets of all films.

        Args:
            parts (Path): Folder in which the results of films are kept until all are done.
            on_film (Callable | None): Called after each film with its name, its number of tubelets and whether they
                were found now. Defaults to None.

        Returns:
            tuple[SEALAnnotations, BadFilms]: Tubelets of stage 1; the films that could not be done.
        """
        store, bad = FilmParts(parts, read_result_json, write_result_json), BadFilms()
        results: list[VideoResult] = []
        for vid, (result, is_new) in bad.each(self.vids(), lambda vid: self._kept(vid, store)):
            if self.kind == 'results':  # which may lie in folders of their own
                vid = Path(result.video.name).stem
            results.append(self._finish(result, vid))
            if on_film is not None:
                on_film(vid, len(results[-1].tubes), is_new)
        annotations = from_results(results, split=self.split)
        for vid, record in annotations.videos.items():
            if vid in self.videos:
                annotations.videos[vid] = replace(self.videos[vid], shots=self.videos[vid].shots or record.shots)
        if not bad.causes:
            store.clear()
        return annotations, bad

    def _kept(self, vid: str, store: FilmParts) -> tuple[VideoResult, bool]:
        if self.kind == 'results':
            assert self.folder is not None
            return read_result_json(self.folder / f'{vid}.json'), True
        sources = [self._film(vid)] if self.films is not None else []
        sources += [self.folder / f'{vid}.txt'] if self.folder is not None else []
        stats = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in sources]
        used = {key: self.cfg.get(key) for key in ('frame_source', *self.stages)}
        return store.get(vid, repr((self.kind, stats, self.videos.get(vid), used)), lambda: self._find(vid))

    def _film(self, vid: str) -> Path:
        assert self.films is not None
        return find_film(self.films, vid) if self.films.is_dir() else self.films

    def _source(self, vid: str) -> Any:
        return build_stage('frame_source', self.cfg.frame_source, path=str(self._film(vid)))

    def _find(self, vid: str) -> VideoResult:
        """Return all tubelets of a film."""
        clock, stages = StageClock(), self.stages
        info = self._info(vid)
        if self.kind == 'tracks':
            assert self.folder is not None
            size = (info.width, info.height)
            tubes = read_mot_txt(self.folder / f'{vid}.txt', info.fps, size, info.num_frames).tubes
            return VideoResult(info, tubes, self._shots(vid, info))
        watching = (stages['tracker'], stages.get('shot_detector'), stages.get('appearance'), clock)
        motion = stages.get('camera_motion')
        if not self.kind:
            with self._source(vid) as source:
                found = detect_people(
                    source, stages['detector'], stages.get('selector'), self.cfg.get('batch_size', 1), clock
                )
                tubes, shots, times_s = track_people(found, *watching, camera_motion=motion)
                info = source.info
        else:
            assert self.folder is not None
            detections = read_mot_detections(self.folder / f'{vid}.txt', info.fps, info.num_frames)
            for frame in detections:
                frame.scores[frame.scores == -1] = 1  # MOTChallenge's "not given"
            if self.films is None:
                tubes, shots, times_s = self._track_without_film(detections, info, self._shots(vid, info))
            else:
                with self._source(vid) as source:
                    tubes, shots, times_s = track_people(
                        self._beside(source, detections, info), *watching, camera_motion=motion
                    )
                    info = source.info
        tubes, _, _ = refine_tubes(tubes, shots, times_s, {'gap_filler': stages.get('gap_filler')}, clock)
        return VideoResult(info, tubes, shots)

    def _beside(self, source: Any, detections: list[FrameDetections], info: VideoInfo) -> Any:
        selector = self.stages.get('selector')
        for frame in source:
            if frame.index >= len(detections):
                yield frame, FrameDetections(frame.index, frame.time_s, np.zeros((0, 4)), np.zeros(0))
                continue
            found = replace(detections[frame.index], time_s=frame.time_s)
            if selector is not None:
                found = found[selector(found.boxes_px, found.scores, (info.width, info.height))]
            yield frame, found

    def _track_without_film(
        self, detections: list[FrameDetections], info: VideoInfo, shots: list[tuple[int, int]]
    ) -> tuple[list[Tube], list[tuple[int, int]], np.ndarray]:
        tracker, cuts = self.stages['tracker'], {first for first, _ in shots[1:]}
        selector = self.stages.get('selector')
        tracker.reset()
        for found in detections:
            if found.frame_ind in cuts:
                tracker.cut()
            if selector is not None:
                found = found[selector(found.boxes_px, found.scores, (info.width, info.height))]
            tracker.update(found)
        return tracker.finish(), shots, np.arange(info.num_frames) / info.fps

    def _info(self, vid: str) -> VideoInfo:
        if vid in self.videos:
            record = self.videos[vid]
        elif self.films is not None:
            record = film_record(self._film(vid), self.split)
        else:
            raise InputError(f'{self.folder}: the film {vid!r} is not in the table of films')
        size = (record.width, record.height)
        return VideoInfo(f'{vid}.mp4', *size, record.fps, record.num_frames, record.duration_s)

    def _shots(self, vid: str, info: VideoInfo) -> list[tuple[int, int]]:
        """Return the shots of the table, else those of the film, else none."""
        if vid in self.videos and self.videos[vid].shots:
            return list(self.videos[vid].shots)
        detector = self.stages.get('shot_detector')
        if detector is None:
            return []
        detector.reset()
        with self._source(vid) as source:
            for frame in source:
                detector.update(frame.image, frame.index)
        return detector.shots()

    def _finish(self, result: VideoResult, vid: str) -> VideoResult:
        """Return the result with boxes within the frame, tubelets within a shot, and the longest ones only."""
        shots = list(self.videos[vid].shots) if vid in self.videos and self.videos[vid].shots else result.shots
        tubes = [part for tube in result.tubes for part in _within(tube, result.video)]
        tubes = split_at_cuts(tubes, shots)
        if self.chooser is not None:
            tubes = longest_tubes(tubes, self.chooser.top_k)
        return replace(result, video=replace(result.video, name=f'{vid}.mp4'), tubes=tubes, shots=shots, links=[])


def _within(tube: Tube, video: VideoInfo) -> list[Tube]:
    """Return the tube with boxes cut at the frame and scores in [0, 1], without boxes outside; none if all are."""
    boxes = clip_boxes(tube.boxes_px, video.width, video.height)
    keep = (boxes[:, 2:] > boxes[:, :2]).all(axis=1) & (tube.frame_inds < video.num_frames)
    if not keep.any():
        return []
    return [replace(tube.rows(keep), boxes_px=boxes[keep], scores=tube.scores[keep].clip(0, 1))]


def split_at_cuts(tubes: list[Tube], shots: list[tuple[int, int]]) -> list[Tube]:
    """Divide tubes that go on across a shot change; the first part keeps the ID, the others get new ones.

    Args:
        tubes (list[Tube]): Distinct IDs.
        shots (list[tuple[int, int]]): Half-open frame ranges.

    Returns:
        list[Tube]: Ordered by ID.
    """
    starts = [first for first, _ in shots]
    next_id = 1 + max((tube.track_id for tube in tubes), default=-1)
    parts: list[Tube] = []
    for tube in tubes:
        shot = np.searchsorted(starts, tube.frame_inds, side='right')
        pieces = np.split(np.arange(len(tube)), np.flatnonzero(np.diff(shot)) + 1)
        for number, rows in enumerate(pieces):
            if not number:
                parts.append(tube if len(pieces) == 1 else tube.rows(rows))
                continue
            part = replace(tube.rows(rows), track_id=next_id, tubelet_ids=np.full(len(rows), next_id))
            parts.append(part)
            next_id += 1
    return sorted(parts, key=lambda tube: tube.track_id)
