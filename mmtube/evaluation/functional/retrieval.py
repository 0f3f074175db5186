"""Finding a person again: how high a gallery ranks the right entries for each query."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

METRICS = ('cosine', 'euclidean')
AVERAGES = ('mean', 'trapezoid')
JUNK = -1
NEVER = 2**31 - 1
ALIKE = 2.0**-40


@dataclass(frozen=True, eq=False)
class Retrieval:
    """Scores of the queries that have a right entry in the gallery.

    Args:
        queries (np.ndarray): (V,) int64 row of the query.
        ap (np.ndarray): (V,) float64 average precision.
        inp (np.ndarray): (V,) float64 inverse negative penalty: right entries over the rank of the last one.
        first (np.ndarray): (V,) int64 rank of the first right entry from 0; ``NEVER`` if none is found.
        nearest (np.ndarray): (V,) int64 row of the gallery entry in front, -1 if the query has no feature.
    """

    queries: np.ndarray
    ap: np.ndarray
    inp: np.ndarray
    first: np.ndarray
    nearest: np.ndarray

    def cmc(self, ranks: np.ndarray) -> np.ndarray:
        """Return the share of queries whose first right entry is among the first ``ranks`` (from 1), (R,) float64."""
        return (self.first[None] < np.asarray(ranks)[:, None]).mean(axis=1)


def retrieve(
    query: tuple[np.ndarray, np.ndarray, np.ndarray],
    gallery: tuple[np.ndarray, np.ndarray, np.ndarray],
    *,
    metric: str = 'cosine',
    average: str = 'mean',
    max_distances: int = 1 << 22,
) -> Retrieval:
    """Rank the gallery for each query and score the ranking, as Market-1501 and MARS do.

    For each query the entries of its own person from its own camera are taken out, and junk (ID -1) for all. What is
    left and shows the person is right, all other entries are wrong, distractors (ID 0) too. A query without a right
    entry is left out, as in the official scripts.

    Distances are computed in float64 and compared as float32, and Euclidean ones below a millionth of the lengths are
    0, so that rounding does not decide. Of equal distances the wrong entries come first: a tie is not a find, features
    that are all alike score next to nothing, and the order of the gallery never matters. A feature of zeros has the
    cosine 0 with every other, so for such a query all entries are tied. An entry without a feature (NaN) is never
    found; a query without one finds nothing.

    Args:
        query (tuple): (Q, D) float features, (Q,) int64 IDs, (Q,) int64 cameras.
        gallery (tuple): The same of the gallery, G rows.
        metric (str): ``'cosine'`` or ``'euclidean'``. Defaults to 'cosine'.
        average (str): Precision of a right entry in the AP: ``'mean'`` takes the precision at its rank (most scripts);
            ``'trapezoid'`` the mean of that and the one at the rank before, 1 before the first (the Matlab script of
            Market-1501). Defaults to 'mean'.
        max_distances (int): Distances held at a time. Defaults to 4 million, 32 MB.

    Raises:
        ValueError: If an option is unknown.

    Examples:
        >>> query = np.array([[1.0, 0.0]]), np.array([7]), np.array([0])
        >>> gallery = np.array([[1.0, 0.1], [1.0, 0.2], [1.0, 0.9]]), np.array([3, 7, 7]), np.array([1, 1, 1])
        >>> found = retrieve(query, gallery)
        >>> found.ap.round(4).tolist(), found.first.tolist()
        ([0.5833], [1])
    """
    if metric not in METRICS or average not in AVERAGES:
        raise ValueError(f'metric must be one of {METRICS}, average one of {AVERAGES}: {metric!r}, {average!r}')
    features, ids, cameras = query
    kept = np.flatnonzero(gallery[1] != JUNK)
    others, other_ids, other_cameras = (np.asarray(column)[kept] for column in gallery)
    features, others = _comparable(features, others, metric)
    chunk = max(1, max_distances // max(len(others), 1))
    rows: list[tuple[int, float, float, int, int]] = []
    for begin in range(0, len(features), chunk):
        distances = _distances(features[begin : begin + chunk], others, metric)
        for number, row in enumerate(distances, begin):
            same = other_ids == ids[number]
            apart = other_cameras != cameras[number]
            right = np.flatnonzero(same & apart)
            if not len(right):
                continue
            wrong = np.flatnonzero(~same)
            rows.append((number, *_score(row, right, wrong, average)))
    queries, ap, inp, first, nearest = (np.array(column) for column in zip(*rows)) if rows else [np.zeros(0)] * 5
    nearest = nearest.astype(np.int64)
    nearest[nearest >= 0] = kept[nearest[nearest >= 0]]
    return Retrieval(queries.astype(np.int64), ap, inp, first.astype(np.int64), nearest)


def _comparable(features: np.ndarray, others: np.ndarray, metric: str) -> list[np.ndarray]:
    """Return both as float64 of a size whose square is a number, which changes no order of distances."""
    sides = [np.asarray(side, np.float64) for side in (features, others)]
    if metric == 'cosine':
        sides = [_over(side, np.fmax.reduce(np.abs(side), axis=1)) for side in sides]
        return [_over(side, np.linalg.norm(side, axis=1)) for side in sides]
    _, exponent = np.frexp(max(np.fmax.reduce(np.abs(side), axis=None, initial=0.0) for side in sides))
    return [np.ldexp(side, -exponent) for side in sides]


def _over(features: np.ndarray, size: np.ndarray) -> np.ndarray:
    return features / np.where(size > 0, size, 1)[:, None]


def _distances(features: np.ndarray, others: np.ndarray, metric: str) -> np.ndarray:
    """Return (Q, G) float32, NaN where a feature is missing."""
    products = features @ others.T
    if metric == 'cosine':
        return 1 - products.astype(np.float32)
    lengths = (features**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)
    squares = lengths - 2 * products
    squares[squares < ALIKE * lengths] = 0
    return np.sqrt(squares).astype(np.float32)


def _score(distances: np.ndarray, right: np.ndarray, wrong: np.ndarray, average: str) -> tuple[float, float, int, int]:
    """Return AP, INP, rank of the first right entry, and the entry in front."""
    good, bad = distances[right], distances[wrong]
    seen = np.sort(good[~np.isnan(good)])
    bad = bad[~np.isnan(bad)]
    if not len(seen):
        front = wrong[np.nanargmin(distances[wrong])] if len(bad) else -1
        return 0.0, 0.0, NEVER, int(front)
    before = np.searchsorted(seen, bad)  # a wrong entry stands before all right ones that are not nearer
    count = np.cumsum(np.bincount(before, minlength=len(seen) + 1)[: len(seen)])
    nth = np.arange(len(seen))
    ranks = nth + count
    precision = (nth + 1) / (ranks + 1)
    if average == 'trapezoid':
        precision = (precision + np.where(ranks > 0, nth / np.maximum(ranks, 1), 1.0)) / 2
    inp = len(seen) / (ranks[-1] + 1) if len(seen) == len(right) else 0.0
    front = wrong[np.nanargmin(distances[wrong])] if ranks[0] else right[np.nanargmin(good)]
    return float(precision.sum() / len(right)), float(inp), int(ranks[0]), int(front)
