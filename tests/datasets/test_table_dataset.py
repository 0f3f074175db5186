"""Data sets that are not there say what is expected, and what runs without them."""

import pytest

from mmtube.config import load_config
from mmtube.datasets import SEALClips, SEALTubes, VideoFeatures
from mmtube.errors import InputError
from mmtube.registry import DATASETS


@pytest.mark.parametrize('cls', [SEALClips, SEALTubes, VideoFeatures])
def test_absent_annotations_are_named_with_the_hint(tmp_path, cls):
    with pytest.raises(InputError, match=r'/a\.json: no such file\. Render them$'):
        cls(ann_file='a.json', data_root=str(tmp_path), hint='Render them')
    with pytest.raises(InputError, match=r'/a\.json: no such file$'):
        cls(ann_file='a.json', data_root=str(tmp_path))


def test_a_broken_file_is_told_without_the_hint(tmp_path):
    (tmp_path / 'a.json').write_text('{"v": {"duration"')
    for cls in (SEALTubes, VideoFeatures):
        with pytest.raises(InputError, match=r'a\.json:1: .*is cut off') as raised:
            cls(ann_file='a.json', data_root=str(tmp_path), hint='Render them')
        assert 'Render' not in str(raised.value)


SETS = ('seal_tubes', 'seal_clips', 'activitynet_features', 'hacs_features', 'thumos14_features')


@pytest.mark.parametrize('name', SETS)
def test_configs_of_absent_data_name_what_is_expected_and_what_runs_now(name, tmp_path):
    cfg = load_config(f'configs/_base_/datasets/{name}.py', {'data_root': f'{tmp_path}/'})
    told = r'no such file\. .*expected annotations/.*configs/seal_mini/\w+\.py'
    for split in ('train', 'val', 'test'):
        with pytest.raises(InputError, match=told) as raised:
            DATASETS.build(cfg[f'{split}_dataloader'].dataset)
        assert str(tmp_path) in str(raised.value) and '\n' not in str(raised.value)
