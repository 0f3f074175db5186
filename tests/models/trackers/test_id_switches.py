"""IDSwitchCorrector: IDs that go over to another person for a moment."""

import numpy as np
import pytest

from mmtube.models.trackers import IDSwitchCorrector
from mmtube.structures import Tube


def people(*lanes, step=0.0):
    """Tubes from lanes: a lane is a person who stands or walks, its letters the IDs in each frame, '-' none."""
    rows = {}
    for lane, letters in enumerate(lanes):
        for frame, letter in enumerate(letters):
            if letter != '-':
                left = 60 * lane + step * frame
                rows.setdefault(letter, []).append((frame, [left, 10, left + 20, 70], 0.5 + lane / 10))
    tubes = []
    for letter, found in sorted(rows.items()):
        frames, boxes, scores = zip(*sorted(found))
        number = ord(letter) - ord('A')
        tubes.append(Tube(number, frames, np.array(frames) / 25, boxes, scores, embedding=np.array([1.0, number])))
    return tubes


def lanes_of(tubes, lanes, frames, step=0.0):
    """The letters of each lane again."""
    text = [['-'] * frames for _ in range(lanes)]
    for tube in tubes:
        for frame, box in zip(tube.frame_inds.tolist(), tube.boxes_px):
            lane = round((box[0] - step * frame) / 60)
            text[lane][frame] = chr(ord('A') + tube.track_id)
    return [''.join(letters) for letters in text]


def corrected(*lanes, shots=(), step=0.0, **options):
    tubes, changes = IDSwitchCorrector(**options)(people(*lanes, step=step), list(shots))
    return lanes_of(tubes, len(lanes), len(lanes[0]), step), changes


def test_two_people_who_exchanged_their_ids_for_some_frames_get_them_back():
    for length in (1, 6):
        wrong = 'AAAA' + 'B' * length + 'AAAA', 'BBBB' + 'A' * length + 'BBBB'
        lanes, changes = corrected(*wrong, step=3)
        assert lanes == ['A' * (8 + length), 'B' * (8 + length)]
        assert [change.kind for change in changes] == ['relabel', 'relabel']
        assert {change.frames for change in changes} == {(4, 3 + length)}


def test_seven_frames_are_split_and_not_relabelled():
    lanes, changes = corrected('AAAAABBBBBBBAAAAAAAAA', 'BBBBBAAAAAAABBBBBBBBB')
    assert [change.kind for change in changes] == ['split'] * 4
    # Each piece is one person's, whatever it is called; the longest piece keeps the ID.
    owner = {letter: lane for lane, letters in enumerate(lanes) for letter in letters}
    assert all(owner[letter] == lane for lane, letters in enumerate(lanes) for letter in letters)
    assert lanes[0][12:] == 'A' * 9 and lanes[1][12:] == 'B' * 9


def test_nothing_is_followed_across_a_cut():
    wrong = ('AAAABBBAAAA', 'BBBBAAABBBB')
    assert corrected(*wrong, shots=[(0, 11)])[0] == ['A' * 11, 'B' * 11]
    lanes, changes = corrected(*wrong, shots=[(0, 5), (5, 11)])
    assert (lanes, changes) == (list(wrong), [])
    lanes, _ = corrected(*wrong, shots=[(0, 4), (4, 11)])
    assert lanes == list(wrong)


def test_a_run_at_the_end_of_a_tubelet_stays():
    lanes, changes = corrected('AAAAABBB')
    assert (lanes, changes) == (['AAAAABBB'], [])
    lanes, changes = corrected('BBBAAAAA')
    assert (lanes, changes) == (['BBBAAAAA'], [])


def test_three_people_whose_ids_went_round_get_them_back():
    lanes, changes = corrected('AAAABBCCAAAA', 'BBBBCCAABBBB', 'CCCCAABBCCCC')
    assert lanes == ['A' * 12, 'B' * 12, 'C' * 12]
    assert len(changes) == 3  # two strangers in a row are one run


def test_a_missing_box_within_a_run_and_beside_it_is_bridged():
    lanes, _ = corrected('AAAAB-BBAAAA', 'BBBBAAAABBBB')
    assert lanes == ['AAAAA-AAAAAA', 'BBBBBBBBBBBB']
    lanes, _ = corrected('AAA-BBB-AAAA', 'BBB-AAA-BBBB')
    assert lanes == ['AAA-AAA-AAAA', 'BBB-BBB-BBBB']
    lanes, _ = corrected('AAA-BBB-AAAA', 'BBB-AAA-BBBB', max_gap=0)
    assert lanes == ['AAA-BBB-AAAA', 'BBB-AAA-BBBB']


def test_a_person_who_was_lost_while_a_stranger_passed_is_not_changed():
    # A is hidden in frames 4 to 6 while B walks by beside; the boxes of B follow each other.
    lanes, changes = corrected('AAAA---AAAA', 'BBBBBBBBBBB')
    assert (lanes, changes) == (['AAAA---AAAA', 'BBBBBBBBBBB'], [])


def test_rows_keep_everything_but_their_id():
    tubes, _ = IDSwitchCorrector()(people('AAAABBAAAA', 'BBBBAABBBB'), [])
    first, second = tubes
    assert first.scores.tolist() == pytest.approx([0.5] * 10) and second.scores.tolist() == pytest.approx([0.6] * 10)
    assert first.times_s.tolist() == pytest.approx((np.arange(10) / 25).tolist())
    assert (first.tubelet_ids == 0).all() and (second.tubelet_ids == 1).all()
    assert first.embedding.tolist() == [1, 0]


def test_a_new_piece_has_no_embedding():
    tubes, changes = IDSwitchCorrector()(people('A' * 9 + 'B' * 20, 'B' * 9 + 'A' * 20), [])
    assert {change.kind for change in changes} == {'split'}
    assert [tube.embedding is None for tube in tubes] == [False, False, True, True]
    assert [len(tube) for tube in tubes] == [20, 20, 9, 9]


def test_a_tubelet_that_loses_all_its_boxes_is_gone():
    tubes, changes = IDSwitchCorrector()(people('AAAABBAAAA'), [])
    assert [tube.track_id for tube in tubes] == [0] and len(tubes[0]) == 10
    assert (changes[0].old_id, changes[0].new_id, changes[0].frames) == (1, 0, (4, 5))


def test_tubelets_without_a_switch_are_returned_as_they_are():
    given = people('AAAAA', 'BBBBB')
    tubes, changes = IDSwitchCorrector()(given[::-1], [])
    assert tubes == given and changes == []
    assert IDSwitchCorrector()([], []) == ([], [])


def test_many_films_at_once_give_what_each_gives_alone():
    films = [people('AAAABBAAAA', 'BBBBAABBBB'), people('AAAAAAAAAA'), people('AAABBBBBBAAA', 'BBBAAAAAABBB')]
    columns = {'frames': [], 'ids': [], 'boxes': [], 'shots': []}
    for number, tubes in enumerate(films):
        for tube in tubes:
            columns['frames'].append(tube.frame_inds)
            columns['ids'].append(np.full(len(tube), 10 * number + tube.track_id))
            columns['shots'].append(np.full(len(tube), number))
            columns['boxes'].append(tube.boxes_px)
    frames, ids, boxes, shots = (np.concatenate(columns[key]) for key in ('frames', 'ids', 'boxes', 'shots'))
    together, changes = IDSwitchCorrector().correct(frames, shots, ids, boxes)
    for number in range(len(films)):
        rows = shots == number
        alone, some = IDSwitchCorrector().correct(frames[rows], shots[rows], ids[rows], boxes[rows])
        assert together[rows].tolist() == alone.tolist()
        assert len(some) == sum(bool(rows[change.rows].all()) for change in changes)


@pytest.mark.parametrize(
    'options', [{'max_run': 0}, {'min_iou': 0}, {'min_iou': 1.1}, {'max_gap': -1}, {'id_bonus': -1}]
)
def test_numbers_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match='must be positive'):
        IDSwitchCorrector(**options)
