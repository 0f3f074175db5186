"""The protocol `linking`: what merging tubelets gained and where it went wrong."""

import argparse

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.protocols import linking
from mmtube.structures import Link, Tube, VideoInfo, VideoResult, apply_links
from mmtube.structures.io import write_result_json
from mmtube.structures.seal import write_seal_json
from mmtube.structures.seal.convert.results import from_results

FPS = 10.0


def tube(track_id, first, end, left):
    frames = np.arange(first, end)
    return Tube(track_id, frames, frames / FPS, [[left, 0, left + 10, 10]] * len(frames))


def film(name, tubes, links=()):
    return VideoResult(VideoInfo(f'{name}.mp4', 64, 48, FPS, 100, 10.0), tubes, links=list(links))


# Person 1 is at the left in frames 0 to 29, person 2 at the right in frames 0 to 39.
PEOPLE = [tube(1, 0, 30, 0), tube(2, 0, 40, 40)]
# The tracker lost each of them; 15 and 16 are of the right one, 19 is nobody.
TUBELETS = [tube(11, 0, 10, 0), tube(12, 10, 30, 0), tube(15, 0, 20, 40), tube(16, 30, 40, 40), tube(19, 80, 90, 20)]


def link(earlier, later, reason='appearance distance 0.1'):
    return Link(earlier, later, 0.1, 0.5, reason)


def score(folder, *links, people=PEOPLE, tubelets=TUBELETS, options=(), name='one'):
    write_seal_json(from_results([film('one', people)]), folder / 'gt.json')
    write_result_json(film(name, apply_links(list(tubelets), list(links)), links), folder / 'found' / 'one.json')
    parser = argparse.ArgumentParser()
    linking.add_arguments(parser)
    args = parser.parse_args(list(options))
    args.gt, args.pred = str(folder / 'gt.json'), str(folder / 'found')
    return linking.evaluate(args)


def test_right_merges_raise_idf1_and_completeness(tmp_path):
    result = score(tmp_path, link(11, 12), link(15, 16))
    metrics = result.metrics
    assert metrics['merge_precision'] == metrics['merge_recall'] == metrics['id_purity'] == 1
    assert metrics['id_completeness'] == 1 and metrics['id_completeness_before_linking'] == (20 + 20) / 60
    # 70 boxes are there and 70 are predicted, 60 of them on people.
    assert metrics['IDF1'] == 2 * 60 / 140 and metrics['IDF1_before_linking'] == 2 * 40 / 140
    assert metrics['box_recall'] == 60 / 70 and metrics['tubelets_of_nobody'] == 1
    assert [metrics[f'{kind}_merges'] for kind in ('right', 'wrong', 'undecided', 'missed')] == [2, 0, 0, 0]
    assert result.tables['worst']['text'] == []


def test_a_wrong_merge_is_counted_and_shown_with_its_reason(tmp_path):
    result = score(tmp_path, link(11, 12), link(12, 16, 'appearance distance 0.190'))
    metrics = result.metrics
    assert [metrics[f'{kind}_merges'] for kind in ('right', 'wrong', 'missed')] == [1, 1, 1]
    assert metrics['merge_precision'] == 0.5 and metrics['merge_recall'] == 0.5
    assert metrics['id_purity'] == (30 + 20) / 60 and metrics['id_purity_before_linking'] == 1
    worst = list(zip(*result.tables['worst'].values()))
    assert worst[0] == (
        'one',
        3.0,
        *(40, 0, 50, 10),
        'wrong merge in tube 11: tubelet 12 is person 1, tubelet 16 is person 2, gap 0.10 s, appearance distance 0.190'
        ' (frame index 30)',
    )
    assert worst[1][-1].startswith('missed merge: person 2 is in tube 15 (tubelet 15) and in tube 11 (tubelet 16)')
    assert result.tables['tubes'] == {
        'video': ['one'] * 3,
        'tube': [11, 15, 19],
        'boxes': [40, 20, 10],
        'tubelets': [3, 1, 1],
        'person': [1, 2, None],
        'boxes_of_people': [40, 20, 0],
        'purity': [0.75, 1.0, None],
    }
    assert result.tables['people']['completeness'] == [1.0, 20 / 30]
    assert result.tables['people']['merges_missed'] == [0, 1]


def test_a_merge_with_a_tubelet_of_nobody_is_undecided(tmp_path):
    metrics = score(tmp_path, link(16, 19)).metrics
    assert metrics['undecided_merges'] == 1 and metrics['wrong_merges'] == 0


def test_without_links_nothing_is_gained_and_that_is_said(tmp_path):
    result = score(tmp_path)
    metrics = result.metrics
    for name in ('IDF1', 'id_purity', 'id_completeness'):
        assert metrics[name] == metrics[f'{name}_before_linking']
    assert metrics['missed_merges'] == 2 and metrics['merge_recall'] == 0
    assert result.notes == ['no tube holds more than one tubelet: nothing was merged, so nothing wrongly']
    assert result.evidence.numerators.sum() / result.evidence.denominators.sum() == metrics['IDF1']


def test_perfect_tubes_score_exactly_one(tmp_path):
    result = score(tmp_path, people=PEOPLE, tubelets=PEOPLE)
    assert {value for value in result.metrics.values() if isinstance(value, float)} == {1.0}
    assert any('there was nothing to merge' in note for note in result.notes)


def test_a_few_boxes_on_a_person_make_no_tubelet_of_that_person(tmp_path):
    stray = Tube(20, np.arange(45), np.arange(45) / FPS, [[40, 0, 50, 10]] * 4 + [[20, 20, 30, 30]] * 41)
    tubelets = [tube(12, 10, 30, 0), stray]
    assert score(tmp_path, tubelets=tubelets).metrics['tubelets_of_nobody'] == 1
    assert score(tmp_path, tubelets=tubelets, options=('--min-share', '0.05')).metrics['tubelets_of_nobody'] == 0


def test_an_empty_result_misses_everything(tmp_path):
    result = score(tmp_path, tubelets=[])
    assert {value for value in result.metrics.values() if isinstance(value, float)} == {0.0}
    assert 'nothing was predicted' in result.text() and result.counts['videos_without_predictions'] == 1


def test_the_order_of_tubes_does_not_matter(tmp_path):
    known = score(tmp_path, link(11, 12), link(12, 16)).document()
    truth, found = (table for table in tables(tmp_path))
    rng = np.random.default_rng(0)
    for _ in range(3):
        shuffled = [table.rows(rng.permutation(len(table))) for table in (truth, found)]
        again = linking.score_tables(*shuffled).document()
        assert again['metrics'] == known['metrics'] and again['tables']['people'] == known['tables']['people']


def tables(folder):
    films = linking.read_results(folder / 'found')
    found = linking.track_table([(name, result.tubes, None) for name, result in films], 'found')
    return linking.read_truth(folder / 'gt.json'), found


def test_what_cannot_be_scored_is_refused(tmp_path):
    with pytest.raises(InputError, match='no video of it is in'):
        score(tmp_path, name='other')
    with pytest.raises(InputError, match='has no ground truth'):
        score(tmp_path, people=[])
    with pytest.raises(InputError, match='must lie in'):
        score(tmp_path, options=('--iou', '1.5'))
    with pytest.raises(InputError, match=r'found.*: the ID has a box|its tubelet is in another tube too'):
        one = tube(11, 0, 10, 0)
        two = tube(12, 20, 30, 0)
        two.tubelet_ids[:] = 11
        score(tmp_path, tubelets=[one, two])


def test_ground_truth_that_is_not_to_be_considered_is_nobody(tmp_path):
    # MOT text: flag 0 on the second person, who is found as tubelet 12 of the same tube.
    rows = [f'{frame},1,1,1,10,10,1\n' for frame in range(1, 11)]
    rows += [f'{frame},2,41,1,10,10,0\n' for frame in range(12, 20)]
    (tmp_path / 'one.txt').write_text(''.join(rows))
    links = [link(11, 12)]
    tubelets = [tube(11, 0, 10, 0), tube(12, 11, 19, 40)]
    write_result_json(film('one', apply_links(tubelets, links), links), tmp_path / 'found.json')
    parser = argparse.ArgumentParser()
    linking.add_arguments(parser)
    args = parser.parse_args([])
    args.gt, args.pred = str(tmp_path / 'one.txt'), str(tmp_path / 'found.json')
    result = linking.evaluate(args)
    assert result.counts['people'] == 1 and result.metrics['wrong_merges'] == 0
    assert result.metrics['undecided_merges'] == 1 and result.metrics['box_recall'] == 1
    assert '8 boxes of the ground truth are not to be considered and were left out' in result.notes


def test_a_tubelet_is_of_a_person_from_the_smallest_share_on(tmp_path):
    # Tubelet 11 shows person 1 in 10 of its 40 boxes.
    tubelets = [tube(11, 20, 60, 0), tube(15, 0, 20, 40)]
    for share, nobody in (('0.25', 0), ('0.26', 1)):
        metrics = score(tmp_path, tubelets=tubelets, options=('--min-share', share)).metrics
        assert metrics['tubelets_of_nobody'] == nobody
