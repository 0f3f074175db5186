"""Each fault is planted alone: the rule fires where it is, and no other rule does."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from drafts import LABEL_MAPS, Draft

from mmtube.datasets.quality import COLUMN_RULES, FILM_RULES, TRACE_RULES, Columns, check_annotations, rule_text
from mmtube.datasets.quality.box_rules import runs
from mmtube.datasets.quality.instance_rules import within
from mmtube.datasets.quality.split_rules import activitynet_findings, leak_findings, split_of_file
from mmtube.structures import VideoInfo
from mmtube.structures.seal import BoxTable, InstanceTable, SEALAnnotations, TubeletRecord, VideoRecord

NAN = float('nan')


def places(draft, coarse=None, **options):
    report = check_annotations(
        draft.annotations(), label_maps=LABEL_MAPS, coarse=coarse.annotations('c.json') if coarse else None, **options
    )
    return {(finding.rule, finding.row) for finding in report.findings}


def set_box(key, frame, box):
    def spoil(draft):
        frames, boxes, *_ = draft.tracks[key]
        boxes[frames.index(frame)] = box

    return spoil


def set_tubelet(tid, **values):
    def spoil(draft):
        draft.tubelets[tid] = replace(draft.tubelets[tid], **values)

    return spoil


def set_video(vid, **values):
    def spoil(draft):
        draft.videos[vid] = replace(draft.videos[vid], **values)

    return spoil


def set_aa(row, column, value):
    def spoil(draft):
        draft.aa[row][column] = value

    return spoil


def add_aa(*row):
    return lambda draft: draft.aa.append(list(row))


def set_column(key, frame, column, value):
    def spoil(draft):
        track = draft.tracks[key]
        track[column][track[0].index(frame)] = value

    return spoil


def add_boxes(tid, frames, box):
    """Append boxes to a track, with the frame range to go with them."""

    def spoil(draft):
        track = draft.tracks[tid]
        for frame in frames:
            for column, value in zip(track, (frame, box, 1.0, 4)):
                column.append(value)
        span = (min(track[0]), max(track[0]) + 1)
        draft.tubelets[tid] = replace(draft.tubelets[tid], frame_range=span)

    return spoil


def swap_boxes(draft):
    for column in draft.tracks['t2']:
        column[10], column[11] = column[11], column[10]


def double_frame(draft):
    draft.tracks['t2'][0][11] = 60


def same_place(draft):
    """Tubelet t6 stands where t5 does in frames 20 to 29."""
    draft.tracks['t6'][1][20:30] = draft.tracks['t5'][1][20:30]


def stranger(draft):
    """A fourth person in frames 40 to 49 of the second film."""
    draft.tubelets['t8'] = replace(draft.tubelets['t7'], person_id=7, frame_range=(40, 50), box_key='t8')
    draft.tracks['t8'] = [list(range(40, 50)), [[280.0, 10, 310, 60]] * 10, [1.0] * 10, [4] * 10]


def same_person(draft):
    draft.tubelets['t6'] = replace(draft.tubelets['t6'], person_id=0)


def interleaved(draft):
    """Person 0 has two tubelets in frames 0 to 79, but never two boxes in one frame."""
    same_person(draft)
    for tid, parity in (('t5', 0), ('t6', 1)):
        draft.tracks[tid] = [column[parity::2] for column in draft.tracks[tid]]
        draft.tracks[tid][3] = [4] * 40
        draft.tubelets[tid] = replace(draft.tubelets[tid], frame_range=(parity, 79 + parity))


def hide_heads(draft):
    draft.tracks['t4'][3] = [4] * 16 + [0] * 34


def drop_boxes(draft):
    draft.tracks['t4'] = [[], [], [], []]


def strange_boxes(draft):
    draft.tracks['t9'] = draft.tracks['t7']


def lose_track(draft):
    del draft.tracks['t4']


def jumps(key, *frames):
    return {('box-jump', f'boxes["{key}"] frame {frame}') for frame in frames}


BOX = [100.0, 20, 160, 200]
FAULTS = {
    # name: (fault, {(rule, row)})
    'fps 0': (set_video('v2', fps=0.0), {('video-fps', 'videos["v2"]')}),
    'no pixels': (set_video('v2', width=0), {('video-size', 'videos["v2"]'), ('box-outside-frame', '*')}),
    'no length': (set_video('v2', duration_s=NAN), {('video-length', 'videos["v2"]')}),
    'duration is not frames / fps': (set_video('v2', duration_s=11.0), {('video-duration', 'videos["v2"]')}),
    'shots with a hole': (set_video('v1', shots=((0, 140), (150, 250))), {('video-shots', 'videos["v1"]')}),
    'shots counted from 1': (
        set_video('v1', shots=((1, 150), (150, 250))),
        {('shots-incomplete', 'videos["v1"]')},
    ),
    'shots that end early': (
        set_video('v1', shots=((0, 150), (150, 249))),
        {('shots-incomplete', 'videos["v1"]')},
    ),
    'shots past the end': (set_video('v1', shots=((0, 150), (150, 260))), {('video-shots', 'videos["v1"]')}),
    'unknown video': (set_tubelet('t4', vid='v9'), {('unknown-video', 'tubelets["t4"]')}),
    'person below 0': (set_tubelet('t4', person_id=-1), {('person-id', 'tubelets["t4"]')}),
    'unknown stage': (set_tubelet('t4', stage=5), {('stage', 'tubelets["t4"]')}),
    'range ends before it begins': (
        set_tubelet('t4', frame_range=(200, 150)),
        {('tubelet-range', 'tubelets["t4"]'), ('frame-range', 'tubelets["t4"]')},
    ),
    'key without boxes': (lose_track, {('no-boxes', 'tubelets["t4"]')}),
    'two tubelets with one track': (
        set_tubelet('t3', box_key='t4', frame_range=(150, 200)),
        {('shared-boxes', 'tubelets["t4"]'), ('orphan-boxes', 'boxes["t3"]'), ('id-across-cut', 'tubelets["t3"]')},
    ),
    'unknown tubelet': (set_aa(4, 0, 't99'), {('unknown-tubelet', 'aa[4]')}),
    'segment not a number': (set_aa(2, 3, NAN), {('not-a-number', 'aa[2]')}),
    'reversed segment': (
        lambda draft: draft.aa[2].__setitem__(slice(3, 5), (3.5, 2.5)),
        {('reversed-segment', 'aa[2]')},
    ),
    'empty segment': (set_aa(2, 4, 2.5), {('empty-segment', 'aa[2]')}),
    'segment before the film': (
        set_aa(4, 3, -0.05),
        {('segment-outside-video', 'aa[4]')},
    ),
    'unknown class': (set_aa(2, 1, 3), {('unknown-class', 'aa[2]')}),
    'wrong group': (set_aa(2, 2, 'po'), {('wrong-group', 'aa[2]')}),
    'box not a number': (set_box('t2', 60, [NAN, 20, 160, 200]), {('box-not-a-number', 'boxes["t2"] frame 60')}),
    'infinite box': (
        set_box('t2', 60, [100, 20, np.inf, 200]),
        {('box-not-a-number', 'boxes["t2"] frame 60')},
    ),
    'box without width': (set_box('t2', 60, [160, 20, 160, 200]), {('box-without-area', 'boxes["t2"] frame 60')}),
    'reversed box': (set_box('t2', 60, [160, 200, 100, 20]), {('box-without-area', 'boxes["t2"] frame 60')}),
    'box outside the frame': (
        set_box('t2', 60, [330, 20, 350, 90]),
        {('box-outside-frame', 'boxes["t2"] frame 60'), *jumps('t2', 60, 61)},
    ),
    'boxes as fractions': (
        lambda draft: [set_box('t2', frame, [0.1, 0.1, 0.3, 1])(draft) for frame in range(50, 150)],
        {('box-in-fractions', 'boxes["t2"] frames 50 to 149')},
    ),
    'a track that goes over to another person': (
        # Of 122.5 to 182.5 and 122.25 to 182.25 the next box has nothing: it begins at 183.
        lambda draft: [set_box('t2', frame, [183, 20, 240, 200])(draft) for frame in range(100, 150)],
        {*jumps('t2', 100)},
    ),
    'box over the edge': (set_box('t2', 60, [100, -3, 160, 200]), {('box-beyond-edge', 'boxes["t2"] frame 60')}),
    'score above 1': (set_column('t2', 60, 2, 1.5), {('box-score', 'boxes["t2"] frame 60')}),
    'score not a number': (set_column('t2', 60, 2, NAN), {('box-score', 'boxes["t2"] frame 60')}),
    'unknown flag': (set_column('t2', 60, 3, 8), {('box-flags', 'boxes["t2"] frame 60')}),
    'boxes of nobody': (strange_boxes, {('orphan-boxes', 'boxes["t9"]')}),
    'frames out of order': (swap_boxes, {('frames-not-increasing', 'boxes["t2"] frame 60')}),
    'two boxes in a frame': (double_frame, {('duplicate-frame', 'boxes["t2"] frame 60')}),
    'box after the film': (
        add_boxes('t7', [250], BOX),
        {('frame-outside-video', 'boxes["t7"] frame 250'), ('tubelet-range', 'tubelets["t7"]')},
    ),
    'box before the film': (
        lambda draft: (add_boxes('t7', [], BOX), draft.tracks['t7'][0].__setitem__(0, -2)),
        {('frame-outside-video', 'boxes["t7"] frame -2'), ('frame-range', 'tubelets["t7"]')},
    ),
    'range longer than the boxes': (set_tubelet('t4', frame_range=(150, 210)), {('frame-range', 'tubelets["t4"]')}),
    'box outside the range': (set_tubelet('t4', frame_range=(155, 200)), {('frame-range', 'tubelets["t4"]')}),
    'tubelet without boxes': (drop_boxes, {('empty-track', 'tubelets["t4"]')}),
    'head seldom seen': (hide_heads, {('head-visible', 'tubelets["t4"]')}),
    'short action': (set_aa(2, 4, 3.05), {('short-action', 'aa[2]')}),
    'action after its tubelet': (
        lambda draft: (draft.ca.append(['t6', 0, '', 1.0, 3.2]), draft.aa.append(['t6', 0, 'pose', 2.6, 3.31])),
        {('outside-tubelet', 'aa[6]'), ('action-outside-activity', 'aa[6]')},
    ),
    'activity before its tubelet': (lambda draft: draft.ca[1].__setitem__(3, 1.8), {('outside-tubelet', 'ca[1]')}),
    'action while the person is away': (
        # t3 is absent in frames 120 to 134, 4.8 to 5.36 s. Frame 119 is shown until 4.8 s.
        lambda draft: (
            [column.__delitem__(slice(10, 25)) for column in draft.tracks['t3']],
            draft.ca.append(['t3', 0, '', 4.4, 5.6]),
            draft.aa.append(['t3', 0, 'pose', 4.4, 5.6]),
            draft.aa.append(['t3', 2, 'po', 4.80001, 5.39]),
            draft.aa.append(['t3', 1, 'pp', 4.79, 5.39]),
        ),
        {('instance-without-box', 'aa[7]'), ('short-action', 'aa[7]')},
    ),
    'activity at another time': (
        lambda draft: draft.ca.append(['t6', 0, '', 5.0, 6.0]),
        {('outside-tubelet', 'ca[3]'), ('activity-without-action', 'ca[3]')},
    ),
    'a track from its end to its beginning': (
        lambda draft: [column.reverse() for column in draft.tracks['t1']],
        {('frames-not-increasing', '*')},
    ),
    'action in no activity': (set_aa(2, 3, 1.99), {('action-outside-activity', 'aa[2]')}),
    'action over two activities': (
        lambda draft: draft.ca.__setitem__(slice(0, 1), [['t1', 0, '', 0.2, 1.5], ['t1', 0, '', 1.5, 3.5]]),
        {('action-outside-activity', 'aa[0]'), ('action-outside-activity', 'aa[1]')},
    ),
    'an instance twice': (add_aa('t1', 2, 'po', 1.0, 3.0), {('duplicate-instance', 'aa[6]')}),
    'instances that overlap': (add_aa('t1', 2, 'po', 2.9, 3.5), {('overlapping-instance', 'aa[6]')}),
    'activity without action': (
        lambda draft: draft.ca.append(['t6', 1, '', 1.0, 2.0]),
        {('activity-without-action', 'ca[3]')},
    ),
    'an ID twice in a frame': (
        same_person,
        {('id-twice-in-frame', 'boxes["t5"] frames 0 to 79'), ('id-in-two-tubelets', 'tubelets["t6"]')},
    ),
    'two IDs on one person': (
        same_place,
        {('overlapping-ids', 'boxes["t5"] frames 20 to 29'), *jumps('t6', 20, 30)},
    ),
    'an ID in two tubelets': (interleaved, {('id-in-two-tubelets', 'tubelets["t6"]')}),
    'a tubelet over a cut': (add_boxes('t2', [160], BOX), {('id-across-cut', 'tubelets["t2"]')}),
    'an ID after a cut': (set_tubelet('t4', person_id=0), {('id-across-cut', 'tubelets["t4"]')}),
    'four subjects': (stranger, {('too-many-subjects', 'videos["v2"] ')}),
    'a film of another split': (set_video('v2', split='val'), {('split', 'videos["v2"]')}),
    'a split that is none': (set_video('v2', split='training'), {('split', 'videos["v2"]')}),
}


def test_a_clean_set_has_no_findings():
    report = check_annotations(
        Draft().annotations(), label_maps=LABEL_MAPS, coarse=Draft(coarse=True).annotations('coarse.json')
    )
    assert report.findings == [] and report.num_errors == report.num_hints == 0


@pytest.mark.parametrize('name', FAULTS)
def test_a_fault_breaks_its_rule_at_its_row_and_no_other(name):
    fault, expected = FAULTS[name]
    draft = Draft()
    fault(draft)
    found = places(draft)
    everywhere = {rule for rule, row in expected if row == '*'}  # what follows from the fault in all boxes or instances
    assert {(rule, row) for rule, row in found if rule not in everywhere} == {
        (rule, row.strip()) for rule, row in expected if row != '*'
    }
    assert everywhere == {rule for rule, _ in found} & everywhere


def test_an_approved_id_may_go_on_across_a_cut():
    draft = Draft()
    set_tubelet('t4', person_id=0, across_shots=True)(draft)
    assert places(draft) == set()


def test_what_is_unusual_and_right_has_no_findings():
    draft = Draft()
    # A cut lets a box jump; a film of 5 fps too.
    draft.videos['v1'] = replace(draft.videos['v1'], shots=((0, 60), (60, 150), (150, 250)))
    for frame in range(60, 100):
        set_box('t1', frame, [250.0, 20, 310, 200])(draft)
    for tid in ('t1', 't2'):
        set_tubelet(tid, across_shots=True)(draft)
    # A person of two tubelets shows the head in the first only: 50 of 130 frames, a third of them.
    draft.tracks['t3'][3] = [0] * 30
    # After t7, of frames 0 to 79, the file goes on with another person at frame 80, elsewhere.
    draft.tubelets['t8'] = replace(draft.tubelets['t6'], person_id=4, frame_range=(80, 90), box_key='t8')
    draft.tracks['t8'] = [list(range(80, 90)), [[10.0, 20, 70, 200]] * 10, [1.0] * 10, [4] * 10]
    draft.tubelets['Zoë "日本"'] = replace(draft.tubelets.pop('t7'), vid='фильм')
    draft.videos['фильм'] = VideoRecord('web', 320, 240, 24000 / 1001, 81, 81 * 1001 / 24000, 'train')
    draft.tubelets = dict(reversed(draft.tubelets.items()))
    assert places(draft) == set()
    slow = Draft()
    slow.videos['v2'] = replace(slow.videos['v2'], fps=5.0, num_frames=250, duration_s=50.0)
    set_box('t7', 40, [0.0, 20, 60, 200])(slow)
    assert places(slow) == set()


@pytest.mark.parametrize('with_coarse', [False, True])
def test_empty_files_and_films_of_one_frame_have_no_findings(with_coarse):
    nothing = SEALAnnotations({}, {})
    one = SEALAnnotations(
        {'v': VideoRecord('web', 64, 48, 25.0, 1, 0.04, 'train', ((0, 1),))},
        {'t': TubeletRecord('v', 0, (0, 1), 't', ('t',), 4)},
        boxes=BoxTable.from_tracks({'t': ([0], [[4, 4, 20, 40]], [1], [0])}),
    )
    before = replace(one, tubelets={'t': replace(one.tubelets['t'], origin=(), stage=1)})
    for annotations, coarse in ((nothing, nothing), (one, before)):
        assert check_annotations(annotations, coarse=coarse if with_coarse else None).findings == []


def test_where_no_origin_is_known_each_is_told_and_nothing_breaks():
    refined, coarse = Draft(), Draft(coarse=True)
    for tid in refined.tubelets:
        set_tubelet(tid, origin=())(refined)
    assert places(refined, coarse) == {('no-origin', f'tubelets["{tid}"]') for tid in refined.tubelets}


def test_people_who_are_no_subjects_may_be_many():
    for spoil in (lambda draft: draft.__dict__.update(aa=[], ca=[]), set_tubelet('t8', stage=1)):
        draft = Draft()
        stranger(draft)
        spoil(draft)
        assert places(draft) == set()


COARSE_FAULTS = {
    'a box nowhere near a coarse one': (
        lambda refined, coarse: refined.tracks['t2'][1].__setitem__(5, [230.0, 20, 290, 200]),
        {('untraced-box', 'boxes["t2"] frame 55'), *jumps('t2', 55, 56)},
    ),
    'coarse boxes that are absent': (
        lambda refined, coarse: [column.__delitem__(slice(5, 9)) for column in coarse.tracks['c2']],
        {('untraced-box', 'boxes["t2"] frames 55 to 58')},
    ),
    'no origin': (lambda refined, coarse: set_tubelet('t2', origin=())(refined), {('no-origin', 'tubelets["t2"]')}),
    'unknown origin': (
        lambda refined, coarse: set_tubelet('t2', origin=('c2', 'c77'))(refined),
        {('unknown-origin', 'tubelets["t2"]')},
    ),
    'origin in another film': (
        lambda refined, coarse: set_tubelet('t2', origin=('c2', 'c6'))(refined),
        {('origin-of-other-video', 'tubelets["t2"]'), ('shared-origin', 'tubelets["t6"]')},
    ),
    'an origin of two people': (
        lambda refined, coarse: set_tubelet('t4', origin=('c4', 'c2'))(refined),
        {('shared-origin', 'tubelets["t4"]'), ('idle-origin', 'tubelets["t4"]')},
    ),
    'an origin that covers nothing': (
        lambda refined, coarse: (
            coarse.tubelets.__setitem__('c8', replace(coarse.tubelets['c4'], box_key='c8', person_id=30)),
            coarse.tracks.__setitem__('c8', [[150], [[0.0, 0, 9, 9]], [1.0], [0]]),
            set_tubelet('t4', origin=('c4', 'c8'))(refined),
        ),
        {('idle-origin', 'tubelets["t4"]')},
    ),
    'a stage that does not follow': (
        lambda refined, coarse: set_tubelet('c2', stage=4)(coarse),
        {('stage-order', 'tubelets["t2"]')},
    ),
}


@pytest.mark.parametrize('name', COARSE_FAULTS)
def test_a_refined_tubelet_must_come_from_coarse_ones(name):
    fault, expected = COARSE_FAULTS[name]
    refined, coarse = Draft(), Draft(coarse=True)
    fault(refined, coarse)
    assert places(refined, coarse) == expected


def test_an_edited_box_needs_no_coarse_one():
    refined, coarse = Draft(), Draft(coarse=True)
    refined.tracks['t2'][1][5], refined.tracks['t2'][3][5] = [230.0, 20, 290, 200], 2 + 4
    assert places(refined, coarse) == jumps('t2', 55, 56)


def test_two_tubelets_of_one_person_may_share_an_origin():
    refined, coarse = Draft(), Draft(coarse=True)
    coarse.tracks['c1'] = [first + third for first, third in zip(coarse.tracks['c1'], coarse.tracks['c3'])]
    set_tubelet('t3', origin=('c1',))(refined)
    assert places(refined, coarse) == set()


def test_each_rule_has_a_planted_fault_and_a_text():
    planted = {rule for _, expected in [*FAULTS.values(), *COARSE_FAULTS.values()] for rule, _ in expected}
    assert set(COLUMN_RULES) | set(TRACE_RULES) <= planted
    assert all(rule_text(rule) for rule in {**COLUMN_RULES, **TRACE_RULES, **FILM_RULES})


def test_a_film_must_not_be_in_two_splits():
    train, val = Draft(), Draft()
    del val.videos['v2'], train.videos['v1']
    assert list(leak_findings([train.annotations('train.json'), val.annotations('val.json')])) == []
    files = [
        Draft().annotations('out/train.json'),
        val.annotations('out/val.json'),
        Draft().annotations('people_train.json'),
    ]
    assert [(finding.file, finding.row) for finding in leak_findings(files)] == [('out/val.json', 'videos["v1"]')]


def test_boxes_of_an_instance_are_found_whatever_the_order_of_frames():
    for seed in range(20):
        draft, generator = Draft(), np.random.default_rng(seed)
        for tid, track in draft.tracks.items():
            order = generator.permutation(len(track[0])).tolist()
            draft.tracks[tid] = [[column[row] for row in order] for column in track]
        assert 'instance-without-box' not in check_annotations(draft.annotations()).counts


def test_a_split_that_all_films_share_must_be_one():
    draft = Draft()
    for vid in draft.videos:
        set_video(vid, split='trian')(draft)
    found = [
        finding for finding in check_annotations(draft.annotations('all.json')).findings if finding.rule == 'split'
    ]
    assert [finding.row for finding in found] == ['videos["v1"]', 'videos["v2"]']
    assert found[0].cause == "the split is 'trian', there are train, val, test"


@pytest.mark.parametrize(
    ('name', 'split'),
    [('a/val.json', 'val'), ('seal_train_v2.json', 'train'), ('all.json', None), ('train_val.json', None)],
)
def test_a_file_name_tells_its_split(name, split):
    assert split_of_file(name) == split


def test_films_of_activitynet_keep_their_side():
    draft = Draft()
    draft.videos['v_abc'] = replace(draft.videos['v1'], split='val')
    subsets = {'v1': 'training', 'v2': 'validation', 'abc': 'training', 'other': 'testing'}
    found = [(finding.row, finding.rule) for finding in activitynet_findings(draft.annotations(), subsets)]
    assert found == [('videos["v2"]', 'activitynet-split'), ('videos["v_abc"]', 'activitynet-split')]


@pytest.mark.parametrize(
    ('film', 'told', 'same'),
    [
        *[(30000 / 1001, 30, False), (30, 29.97, False), (24000 / 1001, 24, False), (25, 24.98, False)],
        *[(24000 / 1001, 23.976, True), (24000 / 1001, 23.98, True), (30000 / 1001, 29.97, True), (25, 25.0, True)],
    ],
)
def test_rates_of_television_are_told_apart_and_may_be_rounded(film, told, same):
    record = VideoRecord('web', 64, 48, told, 100, 100 / told, 'train')
    films = SimpleNamespace(read=lambda: [('videos["v"]', VideoInfo('v.mp4', 64, 48, film, 100, 100 / film), record)])
    assert list(FILM_RULES['film-fps'](films)) == (
        [] if same else [('videos["v"]', f'the film has {film:g} frames per second, not {told:g}')]
    )


def test_only_the_first_findings_of_a_rule_are_kept_and_all_are_counted():
    draft = Draft()
    for row in range(0, 100, 2):
        draft.tracks['t2'][1][row] = [160, 200, 100, 20]
    report = check_annotations(draft.annotations(), max_per_rule=3)
    assert [finding.row for finding in report.findings] == [f'boxes["t2"] frame {frame}' for frame in (50, 52, 54)]
    assert report.counts == {'box-without-area': 50}


def test_of_very_many_findings_the_rest_is_counted_without_being_told(monkeypatch):
    monkeypatch.setattr('mmtube.datasets.quality.box_rules.MAX_TOLD', 3)
    draft = Draft()
    for row in range(0, 100, 2):
        draft.tracks['t2'][1][row] = [160, 200, 100, 20]
    report = check_annotations(draft.annotations())
    assert len(report.findings) == 3 and report.counts == {'box-without-area': 50}


def test_runs_break_at_holes_and_changes():
    rows, owner = np.array([1, 2, 3, 5, 6]), np.array([0, 0, 1, 1, 1])
    assert [run.tolist() for run in runs(rows, owner)] == [[1, 2], [3], [5, 6]]
    assert list(runs(rows[:0])) == []


def test_within_agrees_with_a_loop():
    rng = np.random.default_rng(0)
    for _ in range(200):
        inner, outer = (np.sort(rng.integers(0, 12, (count, 2)), axis=1) / 4 for count in rng.integers(1, 9, 2))
        owners, outer_owners = rng.integers(0, 3, len(inner)), rng.integers(0, 3, len(outer))
        expected = [
            any(o == p and b[0] <= a[0] + 0.1 and b[1] >= a[1] - 0.1 for b, p in zip(outer, outer_owners))
            for a, o in zip(inner, owners)
        ]
        assert within(inner, owners, outer, outer_owners, 0.1).tolist() == expected


def test_boxes_come_by_film_and_frame_however_the_file_orders_them(monkeypatch):
    monkeypatch.setattr('mmtube.datasets.quality.columns.CHUNK_BOXES', 100)
    draft = Draft()
    draft.tracks = {key: draft.tracks[key] for key in ('t6', 't1', 't7', 't4', 't5', 't3', 't2')}
    columns = Columns(draft.annotations())
    chunks = list(columns.frame_chunks())
    rows = np.concatenate([rows for rows, _ in chunks])
    film_frame = [(columns.box_video[row], columns.annotations.boxes.frame_inds[row]) for row in rows]
    assert film_frame == sorted(film_frame) and sorted(rows) == list(range(520))
    assert len(chunks) == 2, 'two films of more than 100 boxes'
    pairs = {tuple(sorted(pair)) for first, second in columns.pairs_in_frames() for pair in zip(first, second)}
    frames = columns.annotations.boxes.frame_inds
    slow = {
        (a, b)
        for a in range(520)
        for b in range(a + 1, 520)
        if frames[a] == frames[b] and columns.box_video[a] == columns.box_video[b]
    }
    assert pairs == slow


@pytest.mark.parametrize(('start_s', 'fires'), [(0.5, False), (0.3, True)])
def test_actions_may_reach_half_the_time_between_two_boxes_over_a_tubelet(start_s, fires):
    frames = [25, 50, 75]  # a box each second, as AVA has them: the tubelet lasts from 1 to 3.04 s
    annotations = SEALAnnotations(
        {'v': VideoRecord('web', 64, 48, 25.0, 250, 10.0, 'train')},
        {'t': TubeletRecord('v', 0, (25, 76), 't')},
        InstanceTable.from_rows([('t', 0, 'pose', start_s, 3.5)]),
        boxes=BoxTable.from_tracks({'t': (frames, [[1, 1, 9, 9]] * 3, [1] * 3, [0] * 3)}),
    )
    found = check_annotations(annotations).counts
    assert (found['outside-tubelet'] > 0) == fires
