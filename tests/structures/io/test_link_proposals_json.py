import json

import pytest

from mmtube.errors import InputError
from mmtube.structures import LinkProposal, TubeletSplit
from mmtube.structures.io import LinkProposals, read_link_proposals, write_link_proposals

PROPOSALS = [
    LinkProposal(1, 4, 0.125, 2.5, 'looks the same, "quoted" ü', True, True),
    LinkProposal(4, 9, 0.25, -0.04, 'not made: cost 0.250 > 0.2', False, False),
]
SPLITS = [TubeletSplit(4, 9, 120, 0.5, None), TubeletSplit(1, 10, 7, 0.3, 4)]


@pytest.fixture
def path(tmp_path):
    write_link_proposals(LinkProposals('a.mp4', PROPOSALS, SPLITS, 2), tmp_path / 'p.json')
    return tmp_path / 'p.json'


def test_what_is_written_is_read_back(path):
    found = read_link_proposals(path)
    assert (found.film, found.max_overlap_frames) == ('a.mp4', 2)
    assert found.proposals == PROPOSALS and found.splits == SPLITS


def test_a_decision_is_one_word_in_one_line(path):
    lines = [line for line in path.read_text().splitlines() if '"accepted"' in line]
    assert len(lines) == 2
    path.write_text(path.read_text().replace(lines[1], lines[1].replace('"accepted": false', '"accepted": true')))
    assert [proposal.accepted for proposal in read_link_proposals(path).proposals] == [True, True]


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda d: d.update(format='other'), 'holds no proposals'),
        (lambda d: d.update(version=2), 'version'),
        (lambda d: d.pop('splits'), '"splits" is missing'),
        (lambda d: d['proposals'][1].update(number=7), r'proposals\[1\].number: must be 2'),
        (lambda d: d['proposals'][0].update(accepted='yes'), r'proposals\[0\].accepted: must hold true and false'),
        (lambda d: d['proposals'][0].update(later_id=1), 'merges tubelet 1 with itself'),
        (lambda d: d['proposals'][1].update(earlier_id=4, later_id=1), 'tubelets 4 and 1 are proposed twice'),
        (lambda d: d['proposals'][0].update(cost='cheap'), r'proposals\[0\].cost: must hold numbers'),
        (lambda d: d['splits'][0].update(frame_ind=-1), r'splits\[0\].frame_ind: must be at least 0'),
        (lambda d: d['proposals'][0].pop('reason'), r'proposals\[0\]: "reason" is missing'),
    ],
)
def test_what_a_person_broke_is_told_with_its_place(path, change, message):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=message) as refusal:
        read_link_proposals(path)
    assert str(path) in str(refusal.value) and '\n' not in str(refusal.value)


def test_half_a_file_is_refused(path):
    path.write_text(path.read_text()[:80])
    with pytest.raises(InputError, match='cut off'):
        read_link_proposals(path)
