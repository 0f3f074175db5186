"""The file in which a reviewer decides."""

import json

import pytest

from mmtube.apis.annotation import Change, ChangeList, read_changes, write_changes
from mmtube.errors import InputError

CHANGES = ChangeList(
    'long-merge',
    [
        Change('v', 'merge', 'v.A', 'v.C', (9, 14), 'alike', 'accepted', 0.125, 0.5),
        Change('ü/w', 'delete', 'x "y"', '', (0, 3), 'no person', 'rejected'),
    ],
    {'v.A': 0, 'v.C': 2},
)


def test_what_is_written_is_read_back(tmp_path):
    write_changes(CHANGES, tmp_path / 'c.json')
    read = read_changes(tmp_path / 'c.json', 'long-merge')
    assert (read.step, read.changes, read.persons) == (CHANGES.step, CHANGES.changes, CHANGES.persons)
    lines = (tmp_path / 'c.json').read_text().splitlines()
    assert sum('"decision"' in line for line in lines) == 2  # one line each, to be edited


@pytest.mark.parametrize(
    ('spoil', 'told'),
    [
        (lambda d: d.update(version='x'), 'version: must be "mmtube-changes-1", not "x"'),
        (lambda d: d.update(step='short-refine'), 'step: must be "long-merge", not "short-refine"'),
        (lambda d: d['changes'][1].update(decision='maybe'), 'changes[1].decision: must be one of accepted, proposed'),
        (lambda d: d['changes'][0].update(frames='3'), 'changes[0].frames: must be such as "3 to 8", not "3"'),
        (lambda d: d['changes'][0].pop('tubelet'), 'changes[0]: "tubelet" is missing'),
        (lambda d: d['changes'][0].update(cost='dear'), 'changes[0].cost: must'),
        (lambda d: d['persons'].update({'v.A': -1}), 'persons["v.A"]: must be at least 0, not -1'),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, spoil, told):
    write_changes(CHANGES, tmp_path / 'c.json')
    document = json.loads((tmp_path / 'c.json').read_text())
    spoil(document)
    (tmp_path / 'c.json').write_text(json.dumps(document))
    with pytest.raises(InputError) as caught:
        read_changes(tmp_path / 'c.json', 'long-merge')
    assert str(caught.value).startswith(f'{tmp_path / "c.json"}: {told}')
