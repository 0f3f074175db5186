"""Boxes of objects at key times, for models that look at what people have in their hands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmtube.errors import InputError
from mmtube.ops import box_areas
from mmtube.structures.io.safe_pickle import load_pickle
from mmtube.structures.seal import read_seal_json

from .box_sampler import BoxSampler
from .proposals import ava_proposals


class KeyMoments(NamedTuple):
    """The key times of a data set.

    Args:
        vids (Sequence[str]): Films.
        frame_sizes (np.ndarray): (F, 2) int64 width and height of each in pixels.
        films (np.ndarray): (K,) int64 film of each key time, a number in ``vids``, not decreasing.
        key_s (np.ndarray): (K,) float64 film time in seconds.
        image_keys (Sequence[str]): K keys of the same as AVA's, ``vid,0007``.
    """

    vids: Sequence[str]
    frame_sizes: np.ndarray
    films: np.ndarray
    key_s: np.ndarray
    image_keys: Sequence[str]


class ObjectBoxes:
    """The objects at each key time, as rows of two arrays.

    The ``max_objects`` most confident boxes, as AlphAction takes the five best of a detector. Boxes that people drew
    all have the score 1: of boxes with the same score the larger comes first, and then the earlier in the file. Boxes
    are cut at the frame; those outside of it are left out.

    Args:
        path (Path): Tracks in the SEAL schema (json), whose boxes are looked up as those of persons are, see
            :class:`~mmtube.datasets.box_sampler.BoxSampler`; or detections by image key as AVA has them (pkl:
            ``{'vid,0007': (k, 4 or 5) normalised}``).
        moments (KeyMoments): The key times.
        max_objects (int): Boxes of a key time. Defaults to 5.

    Raises:
        InputError: If the file cannot be used, or is of other films altogether; a film without objects among others is
            nothing unusual.
    """

    def __init__(self, path: Path, moments: KeyMoments, max_objects: int = 5) -> None:
        look_up = self._detections if path.suffix == '.pkl' else self._tracks
        rows, boxes_px, scores = look_up(path, moments)
        sizes = moments.frame_sizes[moments.films[rows]]
        boxes_px = np.clip(boxes_px, 0, np.tile(sizes, 2)).astype(np.float32)
        areas = box_areas(boxes_px)
        order = np.lexsort((-areas, -scores, rows))
        order = order[areas[order] > 0]
        place = np.arange(len(order)) - np.searchsorted(rows[order], rows[order])
        order = order[place < max_objects]
        self._offsets = np.searchsorted(rows[order], np.arange(len(moments.key_s) + 1))
        self._boxes_px, self._scores = boxes_px[order], scores[order]

    def __call__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (k, 4) float32 xyxy in pixels and (k,) float32 scores of a key time, the best first."""
        rows = slice(*self._offsets[[number, number + 1]])
        return self._boxes_px[rows].copy(), self._scores[rows].copy()

    def _detections(self, path: Path, moments: KeyMoments) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        content = ava_proposals(load_pickle(path), str(path), 0.0)
        _check_films(path, {key.rpartition(',')[0] for key in content}, moments.vids)
        none = np.zeros((0, 5), np.float32)
        found = [content.get(key, none) for key in moments.image_keys]
        rows = np.repeat(np.arange(len(found)), [len(boxes) for boxes in found])
        table = np.concatenate([none, *found])
        return rows, table[:, :4] * np.tile(moments.frame_sizes[moments.films[rows]], 2), table[:, 4]

    def _tracks(self, path: Path, moments: KeyMoments) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        annotations = read_seal_json(path)
        _check_films(path, set(annotations.videos), moments.vids)
        sampler = BoxSampler(annotations)
        theirs = {vid: film for film, vid in enumerate(annotations.videos)}
        edges = np.searchsorted(moments.films, np.arange(len(moments.vids) + 1))
        found = [(np.zeros(0, np.int64), np.zeros((0, 4), np.float32), np.zeros(0, np.float32))]
        for film, vid in enumerate(moments.vids):  # a film at a time: tracks times key times need room
            tracks = np.flatnonzero(sampler.films == theirs.get(vid, -1))
            numbers = np.arange(edges[film], edges[film + 1])
            rows = np.repeat(numbers, len(tracks))
            sampled = sampler(np.tile(tracks, len(numbers)), moments.key_s[rows])
            found.append((rows[sampled.valid], sampled.boxes_px[sampled.valid], sampled.scores[sampled.valid]))
        rows, boxes_px, scores = (np.concatenate(column) for column in zip(*found))
        return rows, boxes_px, scores


def _check_films(path: Path, known: set[str], vids: Sequence[str]) -> None:
    if len(vids) and known.isdisjoint(vids):
        raise InputError(f'{path}: has the objects of none of the {len(vids)} films, {vids[0]!r} is one of them')
