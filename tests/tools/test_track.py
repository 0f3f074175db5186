"""MOT text in, MOT text out."""

import motmetrics
import pytest

from mmtube.structures.io import read_mot_txt, read_result_json


def write(path, rows):
    path.write_text('\n'.join(','.join(map(str, row)) for row in rows) + '\n')
    return path


def walkers(frames=20, people=2):
    return [(f, -1, 100 * p + 2 * f, 50, 30, 80, 0.9, -1, -1, -1) for f in range(1, frames + 1) for p in range(people)]


def test_boxes_become_tubelets_without_any_film(run_tool, tmp_path):
    done = run_tool(
        'tools/track.py', '--detections', write(tmp_path / 'd.txt', walkers()), '--output', tmp_path / 'o.txt'
    )
    assert done.returncode == 0, done.stderr
    tubes = read_mot_txt(tmp_path / 'o.txt').tubes
    assert [(tube.track_id, len(tube)) for tube in tubes] == [(1, 20), (2, 20)]
    assert tubes[0].boxes_px[0].tolist() == [1, 49, 31, 129]


def test_a_result_can_be_written_instead_and_options_reach_the_tracker(run_tool, tmp_path):
    rows = [row for row in walkers(people=1) if not 8 <= row[0] <= 12]
    detections = write(tmp_path / 'd.txt', rows)
    run_tool('tools/track.py', '--detections', detections, '--output', tmp_path / 'a.json')
    run_tool(
        'tools/track.py', '--detections', detections, '--output', tmp_path / 'b.json', '--fps', 10, '--cfg-options',
        'tracker.max_age=2',
    )  # fmt: skip
    bridged, broken = read_result_json(tmp_path / 'a.json'), read_result_json(tmp_path / 'b.json')
    assert [len(tube) for tube in bridged.tubes] == [20]
    assert bridged.tubes[0].observed.sum() == 15
    assert [len(tube) for tube in broken.tubes] == [7, 8]
    assert broken.tubes[0].times_s[-1] == pytest.approx(0.6)


def test_an_empty_file_gives_an_empty_file(run_tool, tmp_path):
    (tmp_path / 'd.txt').write_text('')
    done = run_tool('tools/track.py', '--detections', tmp_path / 'd.txt', '--output', tmp_path / 'o.txt')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'o.txt').read_text() == ''


def test_a_bad_row_is_named(refused, tmp_path):
    rows = walkers()
    rows[6] = (4, -1, 'x', 50, 30, 80, 0.9)
    message = refused('tools/track.py', '--detections', write(tmp_path / 'd.txt', rows), '--output', tmp_path / 'o.txt')
    assert 'd.txt' in message and '7' in message
    assert not (tmp_path / 'o.txt').exists()


@pytest.mark.parametrize('fps', ['0', 'nan', 'inf', '-5'])
def test_a_frame_rate_that_is_none_is_refused(refused, tmp_path, fps):
    detections = write(tmp_path / 'd.txt', walkers())
    args = '--detections', detections, '--output', tmp_path / 'o.txt'
    assert '--fps must be positive' in refused('tools/track.py', *args, f'--fps={fps}')


def test_a_frame_number_that_is_a_slip_is_refused(refused, tmp_path):
    detections = write(tmp_path / 'd.txt', [*walkers(), (9 * 10**9, -1, 1, 1, 9, 9, 0.9)])
    message = refused('tools/track.py', '--detections', detections, '--output', tmp_path / 'o.txt')
    assert '9000000000' in message


def test_with_a_film_the_config_must_say_how_to_read_it(refused, tmp_path):
    args = '--detections', write(tmp_path / 'd.txt', walkers()), '--output', tmp_path / 'o.txt'
    message = refused('tools/track.py', *args, '--video', 'film.mp4', '--config', 'tracking/motion')
    assert "the stage 'frame_source' is missing" in message


def test_a_folder_of_detections_needs_a_folder_to_write_to(refused, tmp_path):
    (tmp_path / 'found').mkdir()
    write(tmp_path / 'found' / 'a.txt', walkers())
    taken = write(tmp_path / 'taken', walkers())
    line = refused('tools/track.py', '--detections', tmp_path / 'found', '--output', taken)
    assert 'is a file' in line and 'folder' in line


def test_a_score_that_is_not_given_counts_as_one(run_tool, tmp_path):
    rows = [(*row[:6], -1, -1, -1, -1) for row in walkers(people=1)]
    run_tool('tools/track.py', '--detections', write(tmp_path / 'd.txt', rows), '--output', tmp_path / 'o.txt')
    assert len(read_mot_txt(tmp_path / 'o.txt').tubes) == 1


def test_an_unknown_option_is_named(refused, tmp_path):
    detections = write(tmp_path / 'd.txt', walkers())
    args = '--detections', detections, '--output', tmp_path / 'o.txt', '--cfg-options'
    assert 'max_agee' in refused('tools/track.py', *args, 'tracker.max_agee=2')
    assert "did you mean 'tracker'" in refused('tools/track.py', *args, 'trackr.max_age=2')


def test_public_detections_of_a_street_reach_the_level_of_sort(run_tool, tmp_path, shared_data):
    street = shared_data / 'mot' / 'TUD-Campus'
    done = run_tool('tools/track.py', '--detections', street / 'det.txt', '--output', tmp_path / 'o.txt')
    assert done.returncode == 0, done.stderr
    truth = motmetrics.io.loadtxt(street / 'gt.txt', fmt='mot15-2D')
    found = motmetrics.io.loadtxt(tmp_path / 'o.txt', fmt='mot15-2D')
    matches = motmetrics.utils.compare_to_groundtruth(truth, found, 'iou', distth=0.5)
    scores = motmetrics.metrics.create().compute(matches, metrics=['mota', 'idf1'])
    print(f'TUD-Campus: MOTA {100 * scores["mota"].item():.1f}, IDF1 {100 * scores["idf1"].item():.1f}')
    assert scores['mota'].item() >= 0.62
    assert scores['idf1'].item() >= 0.68


def test_a_folder_of_detections_gives_a_folder_of_tubelets_and_a_bad_file_is_told_at_the_end(run_tool, tmp_path):
    found = tmp_path / 'found'
    found.mkdir()
    for name, people in (('a', 1), ('c', 2)):
        write(found / f'{name}.txt', walkers(people=people))
    write(found / 'b.txt', [(1, -1, 'x', 50, 30, 80, 0.9)])
    done = run_tool('tools/track.py', '--detections', found, '--output', tmp_path / 'tracks')
    assert done.returncode == 2
    assert 'b.txt' in done.stderr and '1 film was left out' in done.stderr and 'Traceback' not in done.stderr
    assert [len(read_mot_txt(tmp_path / 'tracks' / f'{name}.txt').tubes) for name in 'ac'] == [1, 2]
    assert not (tmp_path / 'tracks' / 'b.txt').exists()


def test_a_folder_without_detections_is_refused(refused, tmp_path):
    message = refused('tools/track.py', '--detections', tmp_path, '--output', tmp_path / 'tracks')
    assert 'no MOT text (.txt) in this folder' in message


@pytest.mark.parametrize('config', ['bytetrack', 'ocsort', 'mmdet_bytetrack', 'mmdet_ocsort', 'mmdet_sort'])
def test_every_config_that_needs_no_film_finds_people_who_walk(run_tool, tmp_path, config):
    detections, tracks = write(tmp_path / 'd.txt', walkers()), tmp_path / 'o.txt'
    done = run_tool('tools/track.py', '--detections', detections, '--output', tracks, '--config', f'tracking/{config}')
    assert done.returncode == 0, done.stderr
    assert len(read_mot_txt(tracks).tubes) == 2


def test_rows_out_of_order_and_frames_left_out_are_as_if_sorted(run_tool, tmp_path):
    rows = [row for row in walkers() if row[0] != 5]
    for name, order in (('sorted', rows), ('mixed', sorted(rows, key=lambda row: -row[0]))):
        run_tool(
            'tools/track.py',
            '--detections',
            write(tmp_path / f'{name}.txt', order),
            '--output',
            tmp_path / f'{name}.out',
        )
    assert (tmp_path / 'sorted.out').read_text() == (tmp_path / 'mixed.out').read_text() != ''


def test_what_a_config_cannot_do_without_a_film_is_told(run_tool, tmp_path):
    args = '--detections', write(tmp_path / 'd.txt', walkers()), '--output', tmp_path / 'o.txt'
    told = run_tool('tools/track.py', *args, '--config', 'tracking/deepsort').stdout
    assert 'note: without --video there is no shot_detector, no appearance' in told
    assert 'note' not in run_tool('tools/track.py', *args).stdout


def test_a_text_without_rows_gives_a_text_without_rows(run_tool, tmp_path):
    done = run_tool('tools/track.py', '--detections', write(tmp_path / 'd.txt', []), '--output', tmp_path / 'o.txt')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'o.txt').read_text() == ''
