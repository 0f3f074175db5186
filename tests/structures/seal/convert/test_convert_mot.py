import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.structures.seal import VideoRecord
from mmtube.structures.seal.convert import read_mot, write_mot

FILM = VideoRecord('web', 100, 50, 10.0, 40, 4.0, 'val')
INFO = '[Sequence]\nname=a\nimDir=img1\nframeRate=30\nseqLength=20\nimWidth=640\nimHeight=480\nimExt=.jpg\n'
# Frames and pixels count from 1: the first row is frame 0, x 0 to 10, y 4 to 24.
GT = '1,5,1,5,10,20,1,1,1\n2,5,2,5,10,20,1,1,0.5\n2,6,50,5,10,20,0,8,1\n4,5,4,5,10,20,1,1,1\n'


def challenge(tmp_path, text=GT, info=INFO, name='a'):
    (tmp_path / 'set' / name / 'gt').mkdir(parents=True)
    (tmp_path / 'set' / name / 'gt' / 'gt.txt').write_text(text)
    if info:
        (tmp_path / 'set' / name / 'seqinfo.ini').write_text(info)
    return tmp_path / 'set'


def test_frames_and_pixels_count_from_0_and_ignored_rows_are_left_out(tmp_path):
    found = read_mot(challenge(tmp_path), split='test')
    assert found.videos == {'a': VideoRecord('mot', 640, 480, 30.0, 20, 20 / 30, 'test')}
    assert list(found.tubelets) == ['a.5'] and found.tubelets['a.5'].frame_range == (0, 4)
    assert found.track('a.5').frame_inds.tolist() == [0, 1, 3]
    assert found.track('a.5').boxes_px[0].tolist() == [0, 4, 10, 24]


def test_a_file_for_each_film_keeps_scores(tmp_path):
    (tmp_path / 'set' / 'deep').mkdir(parents=True)
    (tmp_path / 'set' / 'deep' / 'b.txt').write_text('1,2,1,1,10,10,0.5,-1,-1,-1\n2,2,1,1,10,10,0,-1,-1,-1\n')
    found = read_mot(tmp_path / 'set', {'deep/b': FILM})
    assert found.videos == {'deep/b': FILM} and found.track('deep/b.2').scores.tolist() == [0.5, 0]


def test_the_table_of_films_goes_before_the_file(tmp_path):
    assert read_mot(challenge(tmp_path), {'a': FILM}).videos == {'a': FILM}


@pytest.mark.parametrize(
    'info, cause',
    [
        (None, 'the size and rate of this film are not known, there is no seqinfo.ini'),
        (INFO.replace('imWidth=640\n', ''), "seqinfo.ini: 'imWidth' is missing"),
        (INFO.replace('frameRate=30\n', ''), "seqinfo.ini: 'frameRate' is missing"),
        (INFO.replace('seqLength=20', 'seqLength=many'), 'invalid literal'),
        (INFO.replace('frameRate=30', 'frameRate=0'), 'must be positive'),
        (INFO.replace('[Sequence]', ''), 'File contains no section headers'),
        (INFO.replace('Sequence', 'Other'), "'Sequence' is missing"),
        (INFO.replace('seqLength=20', 'seqLength=3'), 'gt.txt:4: the frame lies beyond the 3 frames'),
    ],
)
def test_a_film_that_is_not_described_is_refused(tmp_path, info, cause):
    with pytest.raises(InputError) as caught:
        read_mot(challenge(tmp_path, info=info))
    assert cause in str(caught.value) and '\n' not in str(caught.value)


def test_the_rate_may_be_told(tmp_path):
    info = INFO.replace('frameRate=30\n', '')
    assert read_mot(challenge(tmp_path, info=info), fps=20.0).videos['a'].fps == 20


@pytest.mark.parametrize(
    'row, cause',
    [
        ('0,5,1,5,10,20,1,1,1', 'frames are counted from 1'),
        ('3,5,1,5,0,20,1,1,1', 'the box has no area'),
        ('2,5,1,5,10,20,1,1,1', 'the ID has a box in this frame already'),
        ('3,x,1,5,10,20,1,1,1', 'a value is not a number'),
        ('21,5,1,5,10,20,1,1,1', 'the frame lies beyond the 20 frames'),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(tmp_path, row, cause):
    folder = challenge(tmp_path, f'{GT}{row}\n')
    with pytest.raises(InputError, match=rf'gt\.txt:5: {cause}'):
        read_mot(folder)
    challenge(tmp_path, name='b')
    findings = []
    found = read_mot(folder, findings=findings)
    assert list(found.videos) == ['b'] and list(found.tubelets) == ['b.5']
    assert findings[0].row == 'line 5' and findings[0].file.endswith('a/gt/gt.txt')


def test_a_folder_without_films_is_refused(tmp_path):
    with pytest.raises(InputError, match='there is no such folder'):
        read_mot(tmp_path / 'set')
    with pytest.raises(InputError, match=r'has neither <film>/gt/gt\.txt nor <film>\.txt'):
        read_mot(tmp_path)


def test_what_is_written_is_ground_truth_of_the_challenge(tmp_path, sample):
    losses = write_mot(sample, tmp_path / 'out')
    lines = (tmp_path / 'out/street/gt/gt.txt').read_text().splitlines()
    assert lines[:2] == ['1,1,11.5,11,10,30.25,1,1,1', '1,2,61,6,20,40,1,1,1'] and len(lines) == 55
    assert (tmp_path / 'out/park/gt/gt.txt').read_text() == ''
    assert (tmp_path / 'out/street/seqinfo.ini').read_text().splitlines()[1:7] == [
        'name=street',
        'imDir=img1',
        'frameRate=10',
        'seqLength=40',
        'imWidth=100',
        'imHeight=50',
    ]
    assert losses == {'flagged boxes': 35, 'atomic instances': 3, 'complex instances': 1}


@pytest.mark.parametrize('layout', ['challenge', 'plain'])
def test_frames_ids_and_boxes_come_back(tmp_path, sample, layout):
    sample.videos['street'] = sample.videos['street'].__class__(**{**vars(sample.videos['street']), 'fps': 29.97})
    sample.videos['street'] = sample.videos['street'].__class__(
        **{**vars(sample.videos['street']), 'duration_s': 40 / 29.97}
    )
    write_mot(sample, tmp_path / 'out', layout=layout)
    again = read_mot(tmp_path / 'out', None if layout == 'challenge' else sample.videos)
    assert {vid: (video.fps, video.num_frames, video.width) for vid, video in again.videos.items()} == {
        vid: (video.fps, video.num_frames, video.width) for vid, video in sample.videos.items()
    }
    assert set(again.tubelets) == {'street.1', 'street.2'}
    for tid, record in again.tubelets.items():
        assert record.person_id == sample.tubelets[tid].person_id
        np.testing.assert_array_equal(again.track(tid).frame_inds, sample.track(tid).frame_inds)
        np.testing.assert_allclose(again.track(tid).boxes_px, sample.track(tid).boxes_px, atol=6e-4)


def test_the_tubelets_of_a_person_become_one_id(tmp_path, sample):
    sample.boxes.frame_inds[35:] = range(100, 120)
    sample.videos['street'] = sample.videos['street'].__class__(
        **{**vars(sample.videos['street']), 'num_frames': 120, 'duration_s': 12.0}
    )
    record = sample.tubelets['street.2']
    sample.tubelets['street.2'] = record.__class__(**{**vars(record), 'person_id': 1, 'frame_range': (100, 120)})
    assert write_mot(sample, tmp_path / 'out')['tubelets joined to people'] == 1
    again = read_mot(tmp_path / 'out')
    assert list(again.tubelets) == ['street.1'] and len(again.track('street.1').frame_inds) == 55


@pytest.mark.parametrize('vid', ['../out', '/etc/x', 'a/../../b', '..'])
def test_a_film_id_does_not_lead_out_of_the_folder(tmp_path, sample, vid):
    sample.videos = {vid: sample.videos['park']}
    sample.tubelets = {}
    with pytest.raises(InputError, match='is no name of a file in it'):
        write_mot(sample, tmp_path / 'out')
    assert not list(tmp_path.rglob('*.txt'))


def test_an_unknown_layout_is_refused(tmp_path, sample):
    with pytest.raises(ValueError, match='layout must be one of'):
        write_mot(sample, tmp_path, layout='kitti')


def test_real_ground_truth_is_read(shared_data):
    found = read_mot(shared_data / 'mot', {'TUD-Campus': VideoRecord('mot', 640, 480, 25.0, 71, 71 / 25, 'train')})
    track = found.track('TUD-Campus.1')  # its first row is 1,1,399,182,121,229
    assert track.frame_inds[0] == 0 and track.boxes_px[0].tolist() == [398, 181, 519, 410]
    assert len(found.tubelets) == 8 and len(found.boxes) == 359
