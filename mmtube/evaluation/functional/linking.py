"""How well tubelets were put together to people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .track_pairs import Overlaps, Tracks, assign

NOBODY = -1


def boxes_of_people(truth: Tracks, found: Tracks, pairs: Overlaps, threshold: float = 0.5) -> np.ndarray:
    """Return which person each predicted box shows.

    Boxes of a picture are paired so that the sum of IoU is largest, pairs below the threshold left out. IDs have no
    part in it.

    Args:
        truth (Tracks): Ground truth.
        found (Tracks): Predictions.
        pairs (Overlaps): Of both.
        threshold (float): Smallest IoU. Defaults to 0.5.

    Returns:
        np.ndarray: (M,) int64 track of the ground truth, ``NOBODY`` for a box that shows nobody.
    """
    pairs = pairs.reaching(threshold)
    taken = assign(pairs.gts, pairs.dets, pairs.ious)
    person = np.full(len(found.picture), NOBODY, np.int64)
    person[pairs.dets[taken]] = truth.track[pairs.gts[taken]]
    return person


@dataclass(frozen=True, eq=False)
class Purity:
    """How boxes of people spread over groups (tubes, or tubelets).

    Args:
        person (np.ndarray): (K,) int64 person that most boxes of a group show, ``NOBODY`` if none shows one; of equal
            numbers the lower person.
        matched (np.ndarray): (K,) int64 boxes of a group that show a person.
        own (np.ndarray): (K,) int64 those that show ``person``.
        seen (np.ndarray): (P,) int64 boxes of a person that are in any group.
        main (np.ndarray): (P,) int64 those in the group that has most of them.
    """

    person: np.ndarray
    matched: np.ndarray
    own: np.ndarray
    seen: np.ndarray
    main: np.ndarray


def purity(person: np.ndarray, group: np.ndarray, num_people: int, num_groups: int) -> Purity:
    """Count boxes by person and group; boxes that show nobody have no part in it.

    ID purity is ``own.sum() / matched.sum()``: the share of the boxes that are in a group of their own person. ID
    completeness is ``main.sum() / seen.sum()``: the share that is in the one group where their person mostly is.

    Args:
        person (np.ndarray): (M,) int64 person that each box shows, or ``NOBODY``.
        group (np.ndarray): (M,) int64 group of each box.
        num_people (int): Number of people P.
        num_groups (int): Number of groups K.

    Examples:
        >>> counted = purity(np.array([0, 0, 1, -1]), np.array([0, 0, 0, 0]), 2, 1)
        >>> counted.person.tolist(), counted.own.tolist(), counted.matched.tolist()
        ([0], [2], [3])
    """
    shows = person != NOBODY
    keys, counts = np.unique(group[shows] * num_people + person[shows], return_counts=True)
    groups, people = keys // max(num_people, 1), keys % max(num_people, 1)
    own, main = np.zeros(num_groups, np.int64), np.zeros(num_people, np.int64)
    np.maximum.at(own, groups, counts)
    np.maximum.at(main, people, counts)
    majority = np.full(num_groups, NOBODY, np.int64)
    best = counts == own[groups]
    majority[groups[best][::-1]] = people[best][::-1]  # of equal ones the lowest is written last
    matched = np.bincount(groups, counts, num_groups).astype(np.int64)
    return Purity(majority, matched, own, np.bincount(people, counts, num_people).astype(np.int64), main)


@dataclass(frozen=True, eq=False)
class Merges:
    """Decisions to put tubelets together.

    Args:
        earlier (np.ndarray): (J,) int64 tubelet before each joint: tubelets that follow each other in one tube.
        later (np.ndarray): (J,) int64 tubelet after it.
        right (np.ndarray): (J,) bool, both show the same person.
        wrong (np.ndarray): (J,) bool, they show different people; joints with a tubelet of nobody are neither.
        needed (np.ndarray): (P,) int64 merges that would bring the tubelets of a person together.
        missed (np.ndarray): (P,) int64 those that were not made: the tubes its tubelets are in, less one.
    """

    earlier: np.ndarray
    later: np.ndarray
    right: np.ndarray
    wrong: np.ndarray
    needed: np.ndarray
    missed: np.ndarray


def merges(person: np.ndarray, tube: np.ndarray, first: np.ndarray, num_people: int) -> Merges:
    """Judge the merges that made tubes of tubelets.

    Args:
        person (np.ndarray): (K,) int64 person that each tubelet shows, or ``NOBODY``.
        tube (np.ndarray): (K,) int64 tube of each tubelet.
        first (np.ndarray): (K,) int64 where a tubelet begins, for the order within a tube.
        num_people (int): Number of people P.

    Examples:
        >>> judged = merges(np.array([0, 1, 0]), np.array([5, 5, 6]), np.array([0, 10, 20]), 2)
        >>> judged.wrong.tolist(), judged.needed.tolist(), judged.missed.tolist()
        ([True], [1, 0], [1, 0])
    """
    order = np.lexsort((first, tube))
    joint = np.flatnonzero(np.diff(tube[order]) == 0)
    earlier, later = order[joint], order[joint + 1]
    known = (person[earlier] != NOBODY) & (person[later] != NOBODY)
    same = person[earlier] == person[later]
    shows = person != NOBODY
    tubelets = np.bincount(person[shows], minlength=num_people)
    pairs = np.unique(np.stack([person[shows], tube[shows]]), axis=1)
    tubes = np.bincount(pairs[0], minlength=num_people)
    return Merges(earlier, later, known & same, known & ~same, np.maximum(tubelets - 1, 0), np.maximum(tubes - 1, 0))
