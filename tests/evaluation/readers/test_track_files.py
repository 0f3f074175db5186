"""What tracking reads: MOT text of both kinds, folders, results, SEAL annotations."""

import numpy as np
import pytest

from mmtube.errors import InputError
from mmtube.evaluation.readers.tracks import (
    COUNTED,
    DISTRACTOR,
    LEFT_OUT,
    read_predictions,
    read_track_files,
    read_truth,
)
from mmtube.structures import Tube, VideoInfo, VideoResult
from mmtube.structures.io import write_mot_txt, write_result_json
from mmtube.structures.seal import write_seal_json
from mmtube.structures.seal.convert.results import from_results


def film(name, *tubes):
    return VideoResult(VideoInfo(name, 64, 48, 10.0, 50, 5.0), list(tubes))


def tube(track_id, frames, left=0, **options):
    frames = np.array(frames)
    return Tube(track_id, frames, frames / 10, [[left, 0, left + 10, 10]] * len(frames), **options)


def write(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(rows) + '\n')
    return path


def test_rows_with_flag_zero_are_left_out_and_classes_count_from_mot16_on(tmp_path):
    rows = ('1,2,1,1,9,9,1,1,1', '1,1,1,1,9,9,0,1,1', '2,2,1,1,9,9,1,3,1', '1,3,1,1,9,9,0,8,1', '3,2,1,1,9,9,1,1,1')
    path = write(tmp_path / 'gt.txt', *rows)
    table = read_truth(path, distractors=[8])
    told = dict(zip(zip(table.frames.tolist(), table.ids.tolist()), table.labels.tolist()))
    assert told == {(0, 2): COUNTED, (0, 1): LEFT_OUT, (1, 2): LEFT_OUT, (0, 3): DISTRACTOR, (2, 2): COUNTED}
    old = read_truth(path, layout='mot15', distractors=[8])
    assert sorted(old.labels.tolist()) == [COUNTED] * 3 + [LEFT_OUT] * 2


def test_world_coordinates_of_mot15_are_no_classes(tmp_path):
    path = write(tmp_path / 'gt.txt', '1,2,1,1,9,9,1,8,2,-1')
    assert read_truth(path, distractors=[8]).labels.tolist() == [COUNTED]
    with pytest.raises(InputError, match=r'gt.txt: has no class in column 8'):
        read_truth(write(tmp_path / 'gt.txt', '1,2,1,1,9,9,1'), layout='mot16')


@pytest.mark.parametrize('layout', ['{}/gt/gt.txt', '{}/gt.txt', 'gt/{}.txt', '{}.txt'])
def test_a_folder_holds_a_sequence_for_each_file(tmp_path, layout):
    for name in ('b', 'a'):
        write(tmp_path / 'truth' / layout.format(name), '1,2,1,1,9,9,1,-1,-1,-1')
    assert read_truth(tmp_path / 'truth').videos == ['a', 'b']


@pytest.mark.parametrize('layout', ['{}.txt', 'data/{}.txt'])
def test_a_folder_of_tracks(tmp_path, layout):
    write(tmp_path / layout.format('a'), '1,2,1,1,9,9,0.5,-1,-1,-1')
    table = read_predictions(tmp_path)
    assert table.videos == ['a'] and np.isnan(table.times_s).all() and table.boxes.tolist() == [[0, 0, 9, 9]]


def test_one_file_against_one_gt_txt_needs_no_name(tmp_path):
    gt = write(tmp_path / 'S1' / 'gt' / 'gt.txt', '1,2,1,1,9,9,1,-1,-1,-1')
    write(tmp_path / 'S1' / 'seqinfo.ini', '[Sequence]', 'frameRate=20')
    write_mot_txt(film('x', tube(1, [1])), tmp_path / 'out.txt')
    write_result_json(film('x.mp4', tube(1, [1])), tmp_path / 'out.json')
    for pred in ('out.txt', 'out.json'):
        truth, found = read_track_files(gt, tmp_path / pred)
        assert truth.videos == found.videos == ['S1'] and found.frames.tolist() == [1]
    assert truth.times_s.tolist() == [0.0]


def test_seal_annotations_and_results_are_paired_by_the_name_of_the_film(tmp_path):
    linked = tube(1, [0, 1, 8], tubelet_ids=[1, 1, 4])
    results = [film('one.mp4', linked), film('two.mp4')]
    write_seal_json(from_results(results), tmp_path / 'gt.json')
    for result in results:
        write_result_json(result, tmp_path / 'found' / f'{result.video.name}.json')
    truth, found = read_track_files(tmp_path / 'gt.json', tmp_path / 'found')
    assert truth.videos == found.videos == ['one', 'two']
    assert truth.ids.tolist() == [1, 1, 1] and truth.times_s.tolist() == [0, 0.1, 0.8]
    assert found.tubelets.tolist() == [1, 1, 4]


def test_two_results_of_one_film_are_refused(tmp_path):
    for folder in ('a', 'b'):
        write_result_json(film('one.mp4', tube(1, [0])), tmp_path / folder / 'one.json')
    with pytest.raises(InputError, match="two films have the name 'one'"):
        read_predictions(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match='neither'):
        read_predictions(tmp_path)
    with pytest.raises(InputError, match='neither'):
        read_truth(tmp_path)
    with pytest.raises(InputError, match='cannot be read'):
        read_truth(tmp_path / 'absent.txt')


def test_faults_of_a_row_name_the_file_and_the_row(tmp_path):
    for row, cause in {
        '1,2,1,1,9,9,nan,-1,-1,-1': 'not a finite number',
        '1,2,1,1,0,9,1,-1,-1,-1': 'no area',
        '0,2,1,1,9,9,1,-1,-1,-1': 'counted from 1',
        '1,-1,1,1,9,9,1,-1,-1,-1': 'ID is negative',
        '4,7,1,1,9,9,1,-1,-1,-1': 'already',
    }.items():
        path = write(tmp_path / 'gt.txt', '4,7,1,1,9,9,1,-1,-1,-1', row)
        for read in (read_truth, read_predictions):
            with pytest.raises(InputError, match=cause) as caught:
                read(path)
            assert 'gt.txt:2' in str(caught.value)
    write(tmp_path / 'S' / 'gt' / 'gt.txt', '1,2,1,1,9,9,1,-1,-1,-1')
    write(tmp_path / 'S' / 'seqinfo.ini', '[Sequence]', 'frameRate=fast')
    with pytest.raises(InputError, match=r'seqinfo.ini.*fast'):
        read_truth(tmp_path / 'S')
