import pickle
import pickletools

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.structures.seal import InstanceTable, VideoRecord
from mmtube.structures.seal.convert import act_pkl_label_map, read_act_pkl, write_act_pkl


def document():
    """One film of 50 x 100 (height x width), 20 frames: class 1 in frames 1 to 4 and 11 to 12, class 0 in frame 20."""
    tube = np.array([[1, 10, 5, 20, 25], [2, 11, 5, 21, 25], [3, 12, 5, 22, 25], [4, 13, 5, 23, 25]], np.float32)
    late = np.array([[11, 0, 0, 5, 5], [12, 0, 0, 5, 5]], np.float32)
    return {
        'labels': ['walk', 'run'],
        'gttubes': {'sport/v1': {1: [tube, late], 0: [np.array([[20, 1, 2, 3, 4.5]])]}},
        'nframes': {'sport/v1': 20, 'v2': 10},
        'resolution': {'sport/v1': (50, 100), 'v2': (48, 64)},
        'train_videos': [['v2'], ['sport/v1', 'v2']],
        'test_videos': [['sport/v1'], []],
    }


def pkl(tmp_path, content=None):
    (tmp_path / 'gt.pkl').write_bytes(pickle.dumps(content or document(), protocol=2))
    return tmp_path / 'gt.pkl'


def test_frames_count_from_0_and_each_tube_is_a_tubelet(tmp_path):
    found = read_act_pkl(pkl(tmp_path), fps=10.0)
    assert found.videos == {
        'sport/v1': VideoRecord('act', 100, 50, 10.0, 20, 2.0, 'val'),
        'v2': VideoRecord('act', 64, 48, 10.0, 10, 1.0, 'train'),
    }
    assert list(found.tubelets) == ['sport/v1.0', 'sport/v1.1', 'sport/v1.2']
    assert found.track('sport/v1.0').frame_inds.tolist() == [0, 1, 2, 3]
    assert found.track('sport/v1.0').boxes_px[0].tolist() == [10, 5, 20, 25]
    rows = zip(found.aa.tids, found.aa.labels, found.aa.start_s, found.aa.end_s)
    assert list(rows) == [('sport/v1.0', 1, 0.0, 0.4), ('sport/v1.1', 1, 1.0, 1.2), ('sport/v1.2', 0, 1.9, 2.0)]


def test_inclusive_boxes_gain_a_pixel(tmp_path):
    found = read_act_pkl(pkl(tmp_path), fps=10.0, inclusive=True)
    assert found.track('sport/v1.0').boxes_px[0].tolist() == [10, 5, 21, 26]


def test_the_other_split_and_task(tmp_path, label_maps):
    found = read_act_pkl(pkl(tmp_path), fps=10.0, split_index=1, task='complex', label_map=label_maps['complex'])
    assert found.videos['sport/v1'].split == 'train' and len(found.aa) == 0 and len(found.ca) == 3
    assert read_act_pkl(pkl(tmp_path), fps=10.0, test_as='test').videos['sport/v1'].split == 'test'
    groups = read_act_pkl(pkl(tmp_path), fps=10.0, label_map=label_maps['atomic']).aa.groups
    assert groups.tolist() == ['pose', 'pose', 'pose']


def test_the_class_names(tmp_path):
    assert act_pkl_label_map(pkl(tmp_path)).names == ('walk', 'run')
    with pytest.raises(InputError, match="labels: class name 'a' stands twice"):
        act_pkl_label_map(pkl(tmp_path, {**document(), 'labels': ['a', 'a']}))


def test_the_table_of_films_gives_the_rate(tmp_path):
    films = {'sport/v1': VideoRecord('web', 100, 50, 5.0, 20, 4.0, 'test')}
    found = read_act_pkl(pkl(tmp_path), films, fps=10.0)
    assert found.videos['sport/v1'] == films['sport/v1'] and found.aa.end_s[0] == 0.8
    with pytest.raises(InputError, match=r"nframes\['v2'\]: the rate of this film is not known"):
        read_act_pkl(pkl(tmp_path), films)


@pytest.mark.parametrize(
    'rows, cause',
    [
        (np.zeros((3, 4)), 'must be (n, 5), not (3, 4)'),
        (np.zeros((0, 5)), 'must be (n, 5), not (0, 5)'),
        (np.zeros(5), 'must be (n, 5), not (5,)'),
        ('tube', 'could not convert'),
        (np.array([[0, 1, 1, 5, 5]]), 'frames 0 to 0 must increase from 1 to 20 at most'),
        (np.array([[21, 1, 1, 5, 5]]), 'frames 21 to 21 must increase from 1 to 20 at most'),
        (np.array([[5, 1, 1, 5, 5], [5, 1, 1, 5, 5]]), 'frames 5 to 5 must increase'),
        (np.array([[5, 1, 1, 5, 5], [4, 1, 1, 5, 5]]), 'frames 5 to 4 must increase'),
        (np.array([[5, 1, 1, 5, 5], [6.5, 1, 1, 5, 5]]), 'a frame not whole'),
        (np.array([[5, 1, 1, np.nan, 5]]), 'a number is not finite'),
        (np.array([[5, 1, 1, 5, 5], [6, 5, 1, 5, 5]]), 'the box of frame 6 has no area'),
    ],
)
def test_a_wrong_tube_is_refused_with_its_place(tmp_path, rows, cause):
    content = document()
    content['gttubes']['sport/v1'][1].append(rows)
    with pytest.raises(InputError) as caught:
        read_act_pkl(pkl(tmp_path, content), fps=10.0)
    assert "gt.pkl: gttubes['sport/v1'][1][2]: " in str(caught.value) and cause in str(caught.value)
    findings = []
    found = read_act_pkl(pkl(tmp_path, content), fps=10.0, findings=findings)
    assert len(findings) == 1 and len(found.tubelets) == 3


@pytest.mark.parametrize(
    'change, cause',
    [
        ({'nframes': {'sport/v1': 20, 'v2': 10, 'v3': 9}}, 'is neither in train_videos nor in test_videos'),
        ({'resolution': {'sport/v1': (50, 100)}}, "nframes['v2']: is not in resolution"),
        ({'nframes': {'v2': 10}}, "gttubes['sport/v1']: is not in nframes"),
        ({'labels': ['walk']}, "gttubes['sport/v1'][1][0]: there is no class 1"),
        ({'labels': 'walk'}, 'labels must be a list'),
        ({'gttubes': []}, 'gttubes must be a dict'),
        ({'train_videos': ['sport/v1']}, 'train_videos must hold a list of films for each split'),
        ({'resolution': {'sport/v1': 3, 'v2': (1, 1)}}, "nframes['sport/v1']: "),
        ({'nframes': {'sport/v1': 'x', 'v2': 10}}, "nframes['sport/v1']: invalid literal"),
    ],
)
def test_a_film_that_does_not_fit_is_refused(tmp_path, change, cause):
    with pytest.raises(InputError) as caught:
        read_act_pkl(pkl(tmp_path, {**document(), **change}), fps=10.0)
    assert cause in str(caught.value) and '\n' not in str(caught.value)


@pytest.mark.parametrize('key', ['labels', 'gttubes', 'nframes', 'resolution'])
def test_a_missing_part_is_named(tmp_path, key):
    content = document()
    del content[key]
    with pytest.raises(InputError, match=f'gt.pkl: has no {key!r}'):
        read_act_pkl(pkl(tmp_path, content), fps=10.0)


def test_a_split_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match='train_videos has 2 splits, there is no split 2'):
        read_act_pkl(pkl(tmp_path), fps=10.0, split_index=2)


class Harm:
    def __reduce__(self):
        return (open, ('harm', 'w'))


def test_a_pickle_that_runs_something_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r'gt\.pkl: '):
        read_act_pkl(pkl(tmp_path, {**document(), 'labels': Harm()}), fps=10.0)
    assert not (tmp_path / 'harm').exists()


def test_what_is_written_is_a_plain_pickle_of_protocol_2(tmp_path, sample, label_maps):
    losses = write_act_pkl(sample, tmp_path / 'gt.pkl', label_map=label_maps['atomic'])
    content = (tmp_path / 'gt.pkl').read_bytes()
    assert max(op.proto for op, *_ in pickletools.genops(content)) == 2
    written = pickle.loads(content)
    assert written['labels'] == ['walk', 'run', 'hug', 'lift']
    assert written['nframes'] == {'street': 40, 'park': 50} and written['resolution']['street'] == (50, 100)
    assert written['train_videos'] == [['street']] and written['test_videos'] == [['park']]
    assert written['gttubes']['park'] == {} and list(written['gttubes']['street']) == [0, 2, 3]
    (walk,) = written['gttubes']['street'][0]
    # Walking lasts from 0.5 to 2.5 s at 10 fps: frames 5 to 24 of which 15 to 19 have no box; frame 5 is number 6.
    assert walk.dtype == np.float32 and walk[:, 0].tolist() == [*range(6, 16), *range(21, 26)]
    assert walk[0].tolist() == [6, 15.5, 10, 25.5, 40.25]
    assert losses == {'boxes outside of actions': 5 + 5 + 5, 'instances of the other task': 1}


def test_inclusive_boxes_are_written_a_pixel_smaller(tmp_path, sample):
    write_act_pkl(sample, tmp_path / 'gt.pkl', inclusive=True)
    written = pickle.loads((tmp_path / 'gt.pkl').read_bytes())
    assert written['labels'][3] == 'atomic 3' and written['gttubes']['street'][0][0][0].tolist() == [
        6,
        15.5,
        10,
        24.5,
        39.25,
    ]


def test_an_instance_without_a_box_is_counted(tmp_path, sample):
    sample.aa = InstanceTable.from_rows([('street.1', 0, 'pose', 1.55, 1.85), ('street.1', 0, 'pose', 0.0, 1.0)])
    losses = write_act_pkl(sample, tmp_path / 'gt.pkl')
    assert losses['instances without a box'] == 1 and losses['tubelets without an instance'] == 1


def test_a_class_beyond_the_label_map_is_refused(tmp_path, sample, label_maps):
    with pytest.raises(InputError, match='class 3 is not in the label map of 2'):
        write_act_pkl(sample, tmp_path / 'gt.pkl', label_map=label_maps['complex'])


@pytest.mark.parametrize('inclusive', [False, True])
def test_tubes_come_back(tmp_path, sample, label_maps, inclusive):
    options = {'label_map': label_maps['atomic'], 'inclusive': inclusive}
    write_act_pkl(sample, tmp_path / 'gt.pkl', **options)
    again = read_act_pkl(tmp_path / 'gt.pkl', fps=10.0, **options)
    assert {row[1:] for row in zip(again.aa.tids, again.aa.labels, again.aa.groups)} == {
        (0, 'pose'),
        (2, 'pp'),
        (3, 'po'),
    }
    by_label = {label: (start, end) for label, start, end in zip(again.aa.labels, again.aa.start_s, again.aa.end_s)}
    assert by_label == {0: (0.5, 2.5), 2: (0.0, 1.5), 3: (2.0, 3.5)}
    assert again.track('street.0').boxes_px[0].tolist() == [15.5, 10, 25.5, 40.25]
    assert act_pkl_label_map(tmp_path / 'gt.pkl').names == label_maps['atomic'].names
    write_act_pkl(again, tmp_path / 'b.pkl', **options)
    one, other = (pickle.loads((tmp_path / name).read_bytes())['gttubes']['street'] for name in ('gt.pkl', 'b.pkl'))
    for label, tubes in one.items():
        np.testing.assert_array_equal(tubes[0], other[label][0])


def test_ground_truth_of_multisports_is_read_and_comes_back(tmp_path, shared_data):
    path = shared_data / 'eval/mmaction2_tests/eval_multisports/gt.pkl'
    found = read_act_pkl(path, fps=25.0, label_map=None)
    vid = 'aerobic_gymnastics/v_crsi07chcV8_c004'
    assert found.videos[vid] == VideoRecord('act', 1280, 720, 25.0, 725, 29.0, 'val')
    track = found.track(f'{vid}.0')
    # Row 288 562 361 656 600 is the film's frame 287.
    assert track.frame_inds[0] == 287 and track.boxes_px[0].tolist() == [562, 361, 656, 600]
    assert len(act_pkl_label_map(path)) == 66
    write_act_pkl(found, tmp_path / 'gt.pkl', label_map=act_pkl_label_map(path))
    one, other = pickle.loads(path.read_bytes()), pickle.loads((tmp_path / 'gt.pkl').read_bytes())
    assert {key: one[key] for key in ('labels', 'nframes', 'test_videos', 'resolution')} == {
        key: other[key] for key in ('labels', 'nframes', 'test_videos', 'resolution')
    }
    assert (
        one['gttubes'].keys() == other['gttubes'].keys() and one['gttubes'][vid].keys() == other['gttubes'][vid].keys()
    )
    for label, tubes in one['gttubes'][vid].items():
        for tube, again in zip(tubes, other['gttubes'][vid][label], strict=True):
            np.testing.assert_array_equal(tube, again)
