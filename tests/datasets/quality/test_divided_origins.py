"""An origin may be divided among IDs at a switch; who is drawn by hand has none."""

from dataclasses import replace

from drafts import Draft

from mmtube.datasets.quality import check_annotations
from mmtube.structures.seal import EDITED


def rules(refined, coarse):
    return {
        (found.rule, found.row)
        for found in check_annotations(refined.annotations(), coarse=coarse.annotations()).findings
        if found.rule != 'box-jump'
    }


def split_draft():
    """t1, frames 0 to 99, is split at frame 60: the rest is t9, another person."""
    refined, coarse = Draft(), Draft(coarse=True)
    track = refined.tracks['t1']
    refined.tracks['t1'], refined.tracks['t9'] = [col[:60] for col in track], [col[60:] for col in track]
    record = refined.tubelets['t1']
    refined.tubelets['t1'] = replace(record, frame_range=(0, 60))
    refined.tubelets['t9'] = replace(record, person_id=9, frame_range=(60, 100), box_key='t9')
    refined.aa = [row for row in refined.aa if row[0] != 't1']
    refined.ca = [row for row in refined.ca if row[0] != 't1']
    return refined, coarse


def test_two_people_may_divide_an_origin():
    assert rules(*split_draft()) == set()


def test_two_people_may_not_claim_one_box():
    refined, coarse = split_draft()
    # t1 has the boxes of frames 50 to 59 and t9 has them too, somewhat aside.
    refined.tracks['t9'][0] = [*range(50, 60), *refined.tracks['t9'][0]]
    aside = [[box[0] + 8, box[1], box[2] + 8, box[3]] for box in refined.tracks['t1'][1][50:]]
    refined.tracks['t9'][1] = aside + refined.tracks['t9'][1]
    refined.tracks['t9'][2], refined.tracks['t9'][3] = [1.0] * 50, [0, 4] * 25
    refined.tubelets['t9'] = replace(refined.tubelets['t9'], frame_range=(50, 100))
    assert rules(refined, coarse) == {('shared-origin', 'tubelets["t9"]')}


def test_the_third_piece_is_compared_with_all_others():
    refined, coarse = split_draft()
    refined.tracks['t10'] = [list(column) for column in refined.tracks['t9']]
    refined.tracks['t10'][1] = [[box[0] + 8, box[1], box[2] + 8, box[3]] for box in refined.tracks['t9'][1]]
    refined.tubelets['t10'] = replace(refined.tubelets['t9'], person_id=10, box_key='t10')
    assert rules(refined, coarse) == {('shared-origin', 'tubelets["t10"]')}


def test_who_was_drawn_by_hand_needs_no_origin():
    refined, coarse = split_draft()
    refined.tubelets['t9'] = replace(refined.tubelets['t9'], origin=())
    assert rules(refined, coarse) == {('no-origin', 'tubelets["t9"]')}
    refined.tracks['t9'][3] = [flag | EDITED for flag in refined.tracks['t9'][3]]
    assert rules(refined, coarse) == set()
    refined.tracks['t9'][3][7] &= ~EDITED
    assert rules(refined, coarse) == {('no-origin', 'tubelets["t9"]')}
