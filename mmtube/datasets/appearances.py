"""Annotated people of films as sequences of crops, so that any such data set becomes re-identification data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmtube.structures.seal import SEALAnnotations


@dataclass(frozen=True, eq=False)
class Appearance:
    """A stretch of film in which a person is visible without a hole, and the boxes to cut from it.

    Args:
        vid (str): The film.
        person_id (int): The person's ID in this film.
        number (int): Which appearance of the person this is, from 1.
        frame_inds (np.ndarray): (M,) int64 frames of the boxes, rising.
        boxes_px (np.ndarray): (M, 4) float32 xyxy in pixels.
    """

    vid: str
    person_id: int
    number: int
    frame_inds: np.ndarray
    boxes_px: np.ndarray


def find_appearances(
    annotations: SEALAnnotations,
    *,
    max_gap: int = 1,
    min_height_px: float = 32,
    max_hidden: float = 0.5,
    min_images: int = 4,
    max_images: int = 32,
) -> list[Appearance]:
    """Cut the tubelets of films into appearances and choose boxes of each.

    An appearance ends where the person is not seen for longer than ``max_gap``, and at a shot change: what follows is
    another view. Tubelets of one person in one film are taken together. Boxes that cannot be used are left out of an
    appearance but do not end it; evenly spaced ones of the others are kept.

    Args:
        annotations (SEALAnnotations): Films and who is where in them.
        max_gap (int): Frames from one box to the next; above 1 where not every frame is annotated. Defaults to 1.
        min_height_px (float): Lower boxes are not used. Defaults to 32.
        max_hidden (float): Boxes of which another person's box covers a larger share are not used: which of the two is
            in front is not known. Defaults to 0.5.
        min_images (int): An appearance with fewer usable boxes is dropped. Defaults to 4.
        max_images (int): Boxes kept of an appearance. Defaults to 32.

    Returns:
        list[Appearance]: By film in the order of the file, person and time. The appearances of a person that are kept
        are numbered from 1.

    Raises:
        ValueError: If an option is out of range.
    """
    if max_gap < 1 or min_height_px < 0 or not 0 <= max_hidden <= 1 or not 1 <= min_images <= max_images:
        raise ValueError('max_gap must be positive, max_hidden in [0, 1] and 1 <= min_images <= max_images')
    found = []
    for vid, people in _people(annotations).items():
        starts = np.array([start for start, _ in annotations.videos[vid].shots], np.int64)
        hidden = _hidden_shares(list(people.values()))
        for (person_id, (frames, boxes)), shares in zip(people.items(), hidden):
            shots = np.searchsorted(starts, frames, side='right')
            ends = np.flatnonzero((np.diff(frames) > max_gap) | (np.diff(shots) != 0)) + 1
            size = boxes[:, 2:] - boxes[:, :2]
            usable = (size[:, 1] >= max(min_height_px, 1)) & (size[:, 0] >= 1) & (shares <= max_hidden)
            number = 0
            for rows in np.split(np.arange(len(frames)), ends):
                rows = rows[usable[rows]]
                if len(rows) < min_images:
                    continue
                number += 1
                rows = rows[evenly_spaced(len(rows), max_images)]
                found.append(Appearance(vid, person_id, number, frames[rows], boxes[rows]))
    return found


def evenly_spaced(count: int, most: int) -> np.ndarray:
    """Return (min(count, most),) int64 rising indices below ``count``, first and last included.

    Examples:
        >>> evenly_spaced(9, 3).tolist(), evenly_spaced(2, 3).tolist()
        ([0, 4, 8], [0, 1])
    """
    return np.arange(count) if count <= most else np.linspace(0, count - 1, most).round().astype(np.int64)


def _people(annotations: SEALAnnotations) -> dict[str, dict[int, tuple[np.ndarray, np.ndarray]]]:
    """Frames and boxes of each person of each film, in the order of time; films and people in a fixed order."""
    people: dict[str, dict[int, tuple[np.ndarray, np.ndarray]]] = {}
    for vid, tids in annotations.tids_by_video().items():
        tracks: dict[int, list] = {}
        for tid in tids:
            tracks.setdefault(annotations.tubelets[tid].person_id, []).append(annotations.track(tid))
        people[vid] = {}
        for person_id in sorted(tracks):
            frames = np.concatenate([track.frame_inds for track in tracks[person_id]]).astype(np.int64)
            boxes = np.concatenate([track.boxes_px for track in tracks[person_id]])
            frames, rows = np.unique(frames, return_index=True)  # a frame that two tubelets share counts once
            finite = np.isfinite(boxes[rows]).all(axis=1)
            people[vid][person_id] = frames[finite], boxes[rows][finite]
    return people


def _hidden_shares(people: list[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    """Per person (N,) float64: the largest share of a box that one other person's box covers."""
    shares = [np.zeros(len(frames)) for frames, _ in people]
    for first, (frames, boxes) in enumerate(people):
        for second in range(first + 1, len(people)):
            others, other_boxes = people[second]
            _, rows, other_rows = np.intersect1d(frames, others, assume_unique=True, return_indices=True)
            if not len(rows):
                continue
            a, b = boxes[rows].astype(np.float64), other_boxes[other_rows].astype(np.float64)
            sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
            shared = sides.clip(0).prod(axis=1)
            for person, where, own in ((first, rows, a), (second, other_rows, b)):
                area = (own[:, 2:] - own[:, :2]).clip(1e-6).prod(axis=1)
                shares[person][where] = np.maximum(shares[person][where], shared / area)
    return shares
