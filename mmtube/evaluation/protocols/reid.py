"""Re-identification: CMC (rank-1, 5, 10, 20), mAP and mINP of images or tracklets.

--gt    the list of what is to be found and to find: csv with the header  name,id,camera,role[,tracklet]  or npz with
        arrays names, ids, cameras, roles[, tracklets]. A role is query or gallery. ID -1 is junk, which is ignored;
        ID 0 is a distractor, which is always wrong; people are numbered from 1.
--pred  npz with arrays names (N) and features (N, D), in any order. One npz with all the arrays can be both.

For each query the gallery entries of its own person from its own camera are taken out (Market-1501, MARS). A query
whose person is then in no other camera is left out and counted, as in the official scripts. A query without a feature
finds nothing, a gallery entry without one is never found; both are counted.

Each row is an image (Market-1501) or already a tracklet (MARS). --pool mean averages the features of the images that
share a tracklet first. AP is the mean of the precision at each right entry; --ap trapezoid is the Matlab script's of
Market-1501. Of equal distances wrong entries come first, so ties are never to the advantage of the features.
The JSON has the CMC curve, the numbers for each camera of the queries, and the worst queries.
"""

from __future__ import annotations

import argparse

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.evidence import RatioEvidence
from mmtube.evaluation.functional.retrieval import AVERAGES, METRICS, NEVER, Retrieval, retrieve
from mmtube.evaluation.readers.embeddings import Gallery, read_embeddings, read_gallery
from mmtube.evaluation.result import EvaluationResult

RANKS = (1, 5, 10, 20)
CURVE_RANKS = np.arange(1, 51)
POOLS = ('none', 'mean')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('--metric', choices=METRICS, default='cosine', help='distance of features (default cosine)')
    parser.add_argument('--ap', choices=AVERAGES, default='mean', help='precision that AP averages (default mean)')
    parser.add_argument('--pool', choices=POOLS, default='none', help='mean: one mean feature for each tracklet')


def evaluate(args: argparse.Namespace) -> EvaluationResult:
    """Read and score."""
    gallery = read_gallery(args.gt)
    names, features = read_embeddings(args.pred)
    return score_gallery(gallery, names, features, metric=args.metric, average=args.ap, pool=args.pool, name=args.pred)


def score_gallery(
    gallery: Gallery,
    names: np.ndarray,
    features: np.ndarray,
    *,
    metric: str = 'cosine',
    average: str = 'mean',
    pool: str = 'none',
    name: str = 'features',
) -> EvaluationResult:
    """Score features.

    Args:
        gallery (Gallery): What is to be found and to find.
        names (np.ndarray): (M,) str names of the features, sorted, no two alike.
        features (np.ndarray): (M, D) float.
        metric (str): See :func:`retrieve`. Defaults to 'cosine'.
        average (str): See :func:`retrieve`. Defaults to 'mean'.
        pool (str): ``'mean'`` averages the features of each tracklet. Defaults to 'none'.
        name (str): Source of the features, for messages. Defaults to 'features'.

    Raises:
        InputError: If nothing can be scored.
        ValueError: If an option is unknown.
    """
    if pool not in POOLS:
        raise ValueError(f'pool must be one of {POOLS}, got {pool!r}')
    gallery.check()
    known = np.isin(names, gallery.names)
    if len(names) and not known.any():
        raise InputError(
            f'{name}: no name of it is in {gallery.name} (the first is {names[0]}, there it is {gallery.names[0]})'
        )
    notes = []
    if not known.all():
        notes.append(f'{(~known).sum():,d} features of names that the list does not have were left out')
    order = np.lexsort((gallery.names, gallery.queries))  # distances do not depend on the order of the list
    gallery = gallery.rows(order)
    columns = np.full((len(gallery), features.shape[1]), np.nan)
    has = np.isin(gallery.names, names)
    columns[has] = features[np.searchsorted(names, gallery.names[has])]
    if pool == 'mean':
        gallery, columns = _pooled(gallery, columns)
        has = ~np.isnan(columns).any(axis=1) if columns.shape[1] else np.zeros(len(gallery), bool)
    if not len(names):
        notes.append('there are no features: nothing is found')
        columns = np.full((len(gallery), 1), np.nan)
    asked = gallery.queries
    sides = [(columns[side], gallery.ids[side], gallery.cameras[side]) for side in (asked, ~asked)]
    found = retrieve(*sides, metric=metric, average=average)
    if not len(found.queries):
        raise InputError(f'{gallery.name}: no query has its person in another camera of the gallery')
    counts = {
        'queries': int(asked.sum()),
        'gallery': int((~asked & (gallery.ids != -1)).sum()),
        'queries_without_match': int(asked.sum()) - len(found.queries),
        'queries_without_feature': int((asked & ~has).sum()),
        'gallery_without_feature': int((~asked & ~has & (gallery.ids != -1)).sum()),
        'distractors': int((~asked & (gallery.ids == 0)).sum()),
        'junk_removed': int((~asked & (gallery.ids == -1)).sum()),
    }
    labels = gallery.names[asked][found.queries]
    none = np.zeros(len(labels), np.int64)
    evidence = RatioEvidence('mAP', labels.tolist(), ['all'], np.arange(len(labels)), none, found.ap, none + 1.0)
    kind = 'mean feature of each tracklet' if pool == 'mean' else 'each row'
    convention = (
        f'{metric} distance of {kind}; own person in own camera and junk taken out, distractors are wrong; AP is the '
        f'{"mean precision at" if average == "mean" else "trapezoid area up to"} the right entries; ties go to the '
        'wrong entry; queries without a right entry are left out'
    )
    curve = {'x': CURVE_RANKS.tolist(), 'y': found.cmc(CURVE_RANKS).tolist(), 'x_label': 'rank', 'y_label': 'CMC'}
    tables = {'cameras': _cameras(gallery.cameras[asked][found.queries], found), 'worst': _worst(gallery, found)}
    return EvaluationResult(
        'reid', convention, _numbers(found), counts, notes, tables, {'CMC': curve}, evidence=evidence
    )


def _numbers(found: Retrieval) -> dict[str, float]:
    ranked = {f'rank-{rank}': float(share) for rank, share in zip(RANKS, found.cmc(np.array(RANKS)))}
    return {'mAP': float(found.ap.mean()), **ranked, 'mINP': float(found.inp.mean())}


def _pooled(gallery: Gallery, features: np.ndarray) -> tuple[Gallery, np.ndarray]:
    """Return one row for each tracklet and role, with the mean of the features that there are."""
    if gallery.tracklets is None:
        raise InputError(f'{gallery.name}: has no column tracklet, which --pool mean needs')
    gallery.refuse(gallery.tracklets == '', 'the tracklet is empty')
    keys = np.char.add(np.where(gallery.queries, 'q', 'g'), gallery.tracklets)
    _, first, of_row = np.unique(keys, return_index=True, return_inverse=True)
    other = (gallery.ids != gallery.ids[first][of_row]) | (gallery.cameras != gallery.cameras[first][of_row])
    gallery.refuse(other, 'its tracklet has images of another ID or camera')
    present = ~np.isnan(features).any(axis=1) if features.shape[1] else np.zeros(len(gallery), bool)
    total = np.zeros((len(first), features.shape[1]))
    np.add.at(total, of_row[present], features[present])
    number = np.bincount(of_row[present], minlength=len(first))[:, None]
    mean = np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)
    pooled = gallery.rows(first)
    return Gallery(pooled.tracklets, pooled.ids, pooled.cameras, pooled.queries, None, gallery.name), mean


def _cameras(cameras: np.ndarray, found: Retrieval) -> dict[str, list]:
    table: dict[str, list] = {name: [] for name in ('camera', 'num_queries', 'mAP', 'rank-1')}
    for camera in np.unique(cameras):
        own = cameras == camera
        row = (int(camera), int(own.sum()), float(found.ap[own].mean()), float((found.first[own] == 0).mean()))
        for column, value in zip(table, row):
            table[column].append(value)
    return table


def _worst(gallery: Gallery, found: Retrieval) -> dict[str, list]:
    """Return the queries of the lowest AP."""
    table: dict[str, list] = {name: [] for name in ('video', 'time_s', 'x1', 'y1', 'x2', 'y2', 'text')}
    queries, entries = np.flatnonzero(gallery.queries), np.flatnonzero(~gallery.queries)
    for place in np.argsort(found.ap, kind='stable')[:50]:
        if found.ap[place] == 1:
            break
        query, first = queries[found.queries[place]], found.first[place]
        text = f'person {gallery.ids[query]}, camera {gallery.cameras[query]}: AP {100 * found.ap[place]:.1f}, '
        text += 'never found' if first == NEVER else f'first right entry at rank {first + 1}'
        if found.nearest[place] >= 0:
            front = entries[found.nearest[place]]
            text += f', in front is {gallery.names[front]} (person {gallery.ids[front]})'
        for column, value in zip(table, (str(gallery.names[query]), *[None] * 5, text)):
            table[column].append(value)
    return table
