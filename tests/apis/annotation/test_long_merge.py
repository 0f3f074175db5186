"""Step 3: people are found again; only their IDs change, never across a cut."""

from dataclasses import replace

import numpy as np
import pytest

from mmtube.apis import load_pipeline
from mmtube.apis.annotation import Change, LongMergeStep, merge_persons
from mmtube.datasets.quality import check_annotations
from mmtube.errors import InputError
from mmtube.testing import make_film

RED, BLUE, GREY = (0, 0, 230), (230, 60, 0), (90, 90, 90)
COLORS = {'A': RED, 'B': BLUE, 'C': RED, 'D': BLUE}


def film_of(path, lanes):
    """A film in which who has an odd letter is red and who has an even one is blue."""
    frames = []
    for frame in range(max(map(len, lanes))):
        image = np.full((100, 300, 3), GREY, np.uint8)
        for lane, letters in enumerate(lanes):
            if letters[frame] != '-':
                image[10:80, 60 * lane + 5 : 60 * lane + 30] = COLORS[letters[frame]]
        frames.append(image)
    return make_film(path, frames=frames, fps=10)


LANES = ['AAAAAAAA----CCCCCCCC', 'BBBBBBBB----DDDDDDDD']


@pytest.fixture
def step(tmp_path):
    (tmp_path / 'films').mkdir()
    film_of(tmp_path / 'films' / 'v.mp4', LANES)
    return LongMergeStep(load_pipeline('seal/annotation'), tmp_path / 'films')


def test_a_merge_rewrites_the_person_and_nothing_else(step, make, tmp_path):
    refined = make({'v': LANES}, stage=2)
    merged, merges, bad = step.run(refined, tmp_path / 'parts')
    assert {tid: t.person_id for tid, t in merged.tubelets.items()} == {'v.A': 0, 'v.B': 1, 'v.C': 0, 'v.D': 1}
    for tid in refined.tubelets:
        for mine, other in zip(refined.track(tid), merged.track(tid)):
            assert np.array_equal(mine, other)
        assert (merged.tubelets[tid].stage, merged.tubelets[tid].origin) == (3, (tid,))
    assert sorted((m.kind, m.tubelet, m.to, m.frames, m.decision) for m in merges.changes) == [
        ('merge', 'v.A', 'v.C', (7, 12), 'accepted'),
        ('merge', 'v.B', 'v.D', (7, 12), 'accepted'),
    ]
    assert all(m.cost < 0.2 and m.gap_s == pytest.approx(0.5) and m.cause for m in merges.changes)
    assert merges.persons == {'v.A': 0, 'v.B': 1, 'v.C': 2, 'v.D': 3}
    assert not bad.causes and check_annotations(merged, coarse=refined).num_errors == 0


def test_nothing_is_merged_across_a_cut(step, make, tmp_path):
    refined = make({'v': LANES}, stage=2, shots=[(0, 10), (10, 20)])
    merged, merges, _ = step.run(refined, tmp_path / 'parts')
    assert [t.person_id for t in merged.tubelets.values()] == [0, 1, 2, 3] and merges.changes == []


def test_what_is_only_proposed_merges_nobody_and_can_be_accepted_later(step, make, tmp_path):
    refined = make({'v': LANES}, stage=2)
    merged, merges, _ = step.run(refined, tmp_path / 'parts', apply=False)
    assert [t.person_id for t in merged.tubelets.values()] == [0, 1, 2, 3]
    assert {m.decision for m in merges.changes} == {'proposed'}
    one = [replace(m, decision='accepted' if m.tubelet == 'v.A' else 'rejected') for m in merges.changes]
    merged, again, _ = step.run(refined, tmp_path / 'parts', decided=replace(merges, changes=one))
    assert [t.person_id for t in merged.tubelets.values()] == [0, 1, 0, 3]
    assert sorted(m.decision for m in again.changes) == ['accepted', 'rejected']


def test_a_missing_film_ends_nothing_and_the_next_run_does_only_that_one(step, make, tmp_path):
    refined = make({'gone': LANES, 'v': LANES}, stage=2)
    merged, _, bad = step.run(refined, tmp_path / 'parts')
    assert list(merged.videos) == ['v'] and len(merged.tubelets) == 4
    assert "has no film 'gone'" in bad.causes['gone']
    assert [path.name.split('.')[0] for path in (tmp_path / 'parts').iterdir()] == ['v']
    film_of(tmp_path / 'films' / 'gone.mp4', LANES)
    seen = []
    merged, _, bad = step.run(refined, tmp_path / 'parts', on_film=lambda *told: seen.append(told))
    assert seen == [('gone', 2, True), ('v', 2, False)] and not bad.causes
    assert list(merged.videos) == ['gone', 'v'] and not (tmp_path / 'parts').exists()


def test_boxes_that_changed_are_looked_at_again(step, make, tmp_path):
    step.run(make({'gone': LANES, 'v': LANES}, stage=2), tmp_path / 'parts')
    seen = []
    other = make({'gone': LANES, 'v': [LANES[0], '-' * 20]}, stage=2)
    step.run(other, tmp_path / 'parts', on_film=lambda *told: seen.append(told))
    assert seen == [('v', 1, True)]


def test_shots_that_changed_are_obeyed(step, make, tmp_path):
    refined = make({'v': LANES, 'w': LANES}, stage=2)  # the film w is missing, so what is done is kept
    assert len(step.run(refined, tmp_path / 'parts')[1].changes) == 2
    refined = make({'v': LANES, 'w': LANES}, stage=2, shots=[(0, 10), (10, 20)])
    assert step.run(refined, tmp_path / 'parts')[1].changes == []


def test_a_tubelet_without_a_box_costs_nobody_a_merge(step, make, tmp_path):
    refined = make({'v': LANES}, stage=2)
    refined.tubelets['v.E'] = replace(refined.tubelets['v.A'], person_id=4, box_key='v.E', origin=('v.E',))
    merged, merges, bad = step.run(refined, tmp_path / 'parts')
    assert not bad.causes and len(merges.changes) == 2 and 'v.E' not in merged.tubelets


def test_a_film_that_is_shorter_than_its_tubelets_is_told(step, make, tmp_path):
    film_of(tmp_path / 'films' / 'v.mp4', [lane[:15] for lane in LANES])
    _, _, bad = step.run(make({'v': LANES}, stage=2), tmp_path / 'parts')
    assert 'the film has 15 frames' in bad.causes['v']


def merge(one, other):
    return Change('v', 'merge', one, other, (0, 0), '')


def people(annotations, *pairs):
    return merge_persons(annotations, [merge(*pair) for pair in pairs], 'c.json')


def test_merged_people_get_the_lowest_id(make):
    annotations = make({'v': ['AA--CC--DD', 'BB--------']}, stage=3)
    assert people(annotations, ('v.C', 'v.D'), ('v.A', 'v.C')) == [0, 1, 0, 0]
    assert people(annotations, ('v.C', 'v.D'), ('v.D', 'v.C')) == [0, 1, 2, 2]


def test_merges_that_cannot_be_are_told_with_their_row(make):
    annotations = make({'v': ['AA--CC--DD', 'BBBB------'], 'w': ['AA']}, stage=3)
    with pytest.raises(InputError, match=r"^c.json: changes\[1\]: merge of 'v.B' and 'v.A': .* two boxes in frame 0$"):
        people(annotations, ('v.A', 'v.C'), ('v.B', 'v.A'))
    with pytest.raises(InputError, match=r"changes\[0\].*the film 'v' has no tubelet 'v.X'"):
        people(annotations, ('v.A', 'v.X'))
    with pytest.raises(InputError, match=r"the film 'v' has no tubelet 'w.A'"):
        people(annotations, ('v.A', 'w.A'))
    cut = make({'v': ['AA--CC--DD']}, stage=3, shots=[(0, 6), (6, 10)])
    assert people(cut, ('v.A', 'v.C')) == [0, 0, 3]
    with pytest.raises(InputError, match=r'would go across the shot change at frame 6'):
        people(cut, ('v.C', 'v.D'))
