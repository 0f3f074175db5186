"""The protocol `reid`: a list and features to numbers."""

import argparse

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.protocols import reid


def files(folder, rows, features):
    """Rows of (name, ID, camera, role[, tracklet]) and features by name."""
    header = 'name,id,camera,role,tracklet' if len(rows[0]) == 5 else 'name,id,camera,role'
    (folder / 'list.csv').write_text('\n'.join([header, *(','.join(map(str, row)) for row in rows)]) + '\n')
    vectors = [np.asarray(vector, float).reshape(-1) for vector in features.values()]
    stacked = np.stack(vectors) if vectors else np.zeros((0, 4))
    np.savez(folder / 'features.npz', names=np.array(list(features), str), features=stacked)
    return folder / 'list.csv', folder / 'features.npz'


def score(gt, pred, *options):
    parser = argparse.ArgumentParser()
    reid.add_arguments(parser)
    args = parser.parse_args(list(options))
    args.gt, args.pred = str(gt), str(pred)
    return reid.evaluate(args)


ROWS = [
    ('q1', 1, 1, 'query'),
    ('q2', 2, 1, 'query'),
    ('g1', 1, 2, 'gallery'),
    ('g2', 2, 2, 'gallery'),
    ('g0', 0, 2, 'gallery'),
]
# Person 1 is nearest to its own image; for person 2 the distractor g0 is nearer.
FEATURES = {'q1': 0, 'g1': 1, 'q2': 10, 'g2': 13, 'g0': 12}


def test_a_distractor_in_front_costs_half(tmp_path):
    result = score(*files(tmp_path, ROWS, FEATURES), '--metric', 'euclidean')
    assert result.metrics == {'mAP': 0.75, 'rank-1': 0.5, 'rank-5': 1, 'rank-10': 1, 'rank-20': 1, 'mINP': 0.75}
    assert {name: count for name, count in result.counts.items() if count} == dict(queries=2, gallery=3, distractors=1)
    assert result.curves['CMC']['y'][:2] == [0.5, 1.0]
    assert result.tables['worst']['text'] == [
        'person 2, camera 1: AP 50.0, first right entry at rank 2, in front is g0 (person 0)'
    ]
    assert result.tables['cameras'] == {'camera': [1], 'num_queries': [2], 'mAP': [0.75], 'rank-1': [0.5]}
    evidence = result.evidence
    assert evidence.units == ['q1', 'q2']
    assert (evidence.numerators / evidence.denominators).mean() == result.metrics[evidence.metric]


def test_perfect_features_score_exactly_one_in_any_order(tmp_path):
    rng = np.random.default_rng(0)
    people = rng.normal(size=(7, 16)).astype(np.float32)
    rows = [(f'q{person}', person, 1, 'query') for person in range(1, 8)]
    rows += [(f'g{person}_{camera}', person, camera, 'gallery') for person in range(1, 8) for camera in (1, 2, 3)]
    features = {row[0]: people[row[1] - 1] for row in rows}
    for options in ((), ('--metric', 'euclidean'), ('--ap', 'trapezoid')):
        result = score(*files(tmp_path, rows, features), *options)
        assert set(result.metrics.values()) == {1.0}
    noisy = {name: feature + rng.normal(0, 1, 16) for name, feature in features.items()}
    known = score(*files(tmp_path, rows, noisy)).document()
    assert 0 < known['metrics']['mAP'] < 1
    for _ in range(3):
        rng.shuffle(rows)
        names = rng.permutation(list(noisy)).tolist()
        again = score(*files(tmp_path, rows, {name: noisy[name] for name in names}))
        assert again.document() == known


def test_one_npz_can_be_both(tmp_path):
    gt, pred = files(tmp_path, ROWS, FEATURES)
    features = dict(np.load(pred))
    by_name = dict(zip(features['names'].tolist(), features['features']))
    names, ids, cameras, roles = zip(*ROWS)
    both = tmp_path / 'both.npz'
    np.savez(both, names=names, ids=ids, cameras=cameras, roles=roles, features=[by_name[name] for name in names])
    assert score(both, both).metrics == score(gt, pred).metrics


def test_queries_without_a_match_are_left_out_and_counted(tmp_path):
    rows = [*ROWS, ('q3', 3, 1, 'query'), ('q4', 4, 2, 'query'), ('g4', 4, 2, 'gallery'), ('j', -1, 2, 'gallery')]
    features = {**FEATURES, 'q3': 30, 'q4': 40, 'g4': 41, 'j': 0}
    result = score(*files(tmp_path, rows, features), '--metric', 'euclidean')
    assert result.metrics['mAP'] == 0.75
    assert result.counts['queries_without_match'] == 2 and result.counts['junk_removed'] == 1
    with pytest.raises(InputError, match='no query has its person in another camera'):
        score(*files(tmp_path, [ROWS[0], ('g3', 3, 2, 'gallery')], {'q1': 0, 'g3': 1}))


def test_missing_features_count_as_not_found(tmp_path):
    result = score(*files(tmp_path, ROWS, {'q1': 0, 'g1': 1, 'g2': 13}), '--metric', 'euclidean')
    assert result.metrics['mAP'] == 0.5 and result.metrics['rank-20'] == 0.5
    assert result.counts['queries_without_feature'] == 1 and result.counts['gallery_without_feature'] == 1
    result = score(*files(tmp_path, ROWS, {}))
    assert set(result.metrics.values()) == {0.0} and 'nothing is found' in result.text()


def test_features_of_other_names_are_counted_and_refused_if_there_are_no_others(tmp_path):
    result = score(*files(tmp_path, ROWS, {**FEATURES, 'x': 0}), '--metric', 'euclidean')
    assert result.metrics['mAP'] == 0.75 and '1 features of names that the list does not have' in result.notes[0]
    with pytest.raises(InputError, match='no name of it is in'):
        score(*files(tmp_path, ROWS, {'x': 0}))


def test_pooling_takes_the_mean_of_a_tracklet(tmp_path):
    rows = [
        ('a', 1, 1, 'query', 't1'),
        ('b', 1, 1, 'query', 't1'),
        ('c', 1, 2, 'gallery', 't2'),
        ('d', 1, 2, 'gallery', 't2'),
        ('e', 2, 2, 'gallery', 't3'),
    ]
    features = {'a': 0, 'b': 10, 'c': 3, 'd': 9, 'e': 1}  # means 5, 6 and 1
    result = score(*files(tmp_path, rows, features), '--metric', 'euclidean', '--pool', 'mean')
    assert result.metrics['rank-1'] == 1 and result.counts['queries'] == 1 and result.counts['gallery'] == 2
    assert result.evidence.units == ['t1']
    alone = score(*files(tmp_path, rows, features), '--metric', 'euclidean')
    assert alone.metrics['rank-1'] == 0.5
    del features['d']  # the mean is over the images that there are
    pooled = score(*files(tmp_path, rows, features), '--metric', 'euclidean', '--pool', 'mean')
    assert pooled.metrics['rank-1'] == 1 and pooled.counts['gallery_without_feature'] == 0


def test_tracklets_that_contradict_themselves_are_refused(tmp_path):
    rows = [('a', 1, 1, 'query', 't1'), ('b', 2, 1, 'query', 't1'), ('c', 1, 2, 'gallery', 't2')]
    features = {'a': 0, 'b': 1, 'c': 2}
    with pytest.raises(InputError, match=r'list.csv: row \d \([ab]\): its tracklet has images of another ID or camera'):
        score(*files(tmp_path, rows, features), '--pool', 'mean')
    with pytest.raises(InputError, match='has no column tracklet'):
        score(*files(tmp_path, ROWS, FEATURES), '--pool', 'mean')
    with pytest.raises(InputError, match='the tracklet is empty'):
        score(*files(tmp_path, [*rows[::2], ('d', 1, 3, 'gallery', '')], features), '--pool', 'mean')


def test_the_trapezoid_is_an_option(tmp_path):
    result = score(*files(tmp_path, ROWS, FEATURES), '--metric', 'euclidean', '--ap', 'trapezoid')
    assert result.metrics['mAP'] == (1 + 0.25) / 2
    assert 'trapezoid' in result.convention
