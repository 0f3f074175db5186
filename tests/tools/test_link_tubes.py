"""Detect, track and link, each in a command of its own."""

import numpy as np
import pytest

from mmtube.structures.io import read_mot_txt, read_result_json
from mmtube.testing import make_film

RED, BLUE = (0, 0, 230), (230, 60, 0)


@pytest.fixture
def walk(tmp_path):
    """A red rectangle walks out of sight in frame 14 and comes back in frame 40; a blue one is there all the time."""
    frames, rows = [], []
    for frame in range(60):
        image = np.full((120, 160, 3), 90, np.uint8)
        image[40:90, 120:140] = BLUE
        rows.append((frame + 1, 2, 121, 41, 20, 50, 0.9))
        if frame < 14 or frame >= 40:
            x = 20 + frame // 2
            image[40:90, x : x + 20] = RED
            rows.append((frame + 1, 1 if frame < 14 else 3, x + 1, 41, 20, 50, 0.9))
        frames.append(image)
    tracks = tmp_path / 'tracks.txt'
    tracks.write_text(''.join(','.join(map(str, row)) + ',-1,-1,-1\n' for row in rows))
    return make_film(tmp_path / 'walk.mkv', frames=frames), tracks


def test_a_merge_is_made_told_and_taken_back(run_tool, walk, tmp_path):
    film, tracks = walk
    linked, undone = tmp_path / 'linked.json', tmp_path / 'undone.txt'
    done = run_tool('tools/link_tubes.py', '--tracks', tracks, '--video', film, '--output', linked)
    assert done.returncode == 0, done.stderr
    assert 'merge 1: 1 + 3: appearance distance' in done.stdout and 'gap 1.08 s' in done.stdout
    result = read_result_json(linked)
    assert {tube.track_id: len(tube) for tube in result.tubes} == {1: 34, 2: 60}
    assert (result.video.width, result.video.num_frames) == (160, 60)
    done = run_tool('tools/link_tubes.py', '--tracks', linked, '--undo', 1, '--output', undone)
    assert done.returncode == 0, done.stderr
    assert undone.read_text().splitlines() == tracks_in_order(tracks)


def tracks_in_order(path):
    """The rows as the library writes them."""
    rows = [line.split(',') for line in path.read_text().splitlines()]
    return [','.join(row) for row in sorted(rows, key=lambda row: (int(row[0]), int(row[1])))]


def test_mot_text_without_a_film_is_refused(refused, walk, tmp_path):
    message = refused('tools/link_tubes.py', '--tracks', walk[1], '--output', tmp_path / 'o.txt')
    assert 'tracks.txt' in message and '--video' in message


def test_a_merge_that_does_not_exist_is_named(refused, walk, tmp_path):
    args = '--tracks', walk[1], '--output', tmp_path / 'o.txt'
    assert 'there is no merge 1' in refused('tools/link_tubes.py', *args, '--undo', 1)


def test_merges_of_tubes_that_the_filter_drops_do_not_outlive_them(run_tool, walk, tmp_path):
    film, tracks = walk
    linked, filtered, undone = (tmp_path / f'{name}.json' for name in ('linked', 'filtered', 'undone'))
    run_tool('tools/link_tubes.py', '--tracks', tracks, '--video', film, '--output', linked)
    options = '--cfg-options', 'tube_filter.min_boxes=50', 'tube_filter.min_density=0'
    done = run_tool('tools/link_tubes.py', '--tracks', linked, '--output', filtered, *options)
    assert done.returncode == 0, done.stderr
    result = read_result_json(filtered)
    assert ([tube.track_id for tube in result.tubes], result.links) == ([2], [])
    assert run_tool('tools/link_tubes.py', '--tracks', filtered, '--undo', 1, '--output', undone).returncode == 2


def test_tubelets_of_another_film_are_refused(refused, walk, tmp_path):
    short = make_film(tmp_path / 'short.mkv', num_frames=30, size=(160, 120))
    message = refused('tools/link_tubes.py', '--tracks', walk[1], '--video', short, '--output', tmp_path / 'o.txt')
    assert 'the film has 30 frames' in message
    detections = tmp_path / 'd.txt'
    detections.write_text('50,-1,10,10,20,50,0.9,-1,-1,-1\n')
    message = refused('tools/track.py', '--detections', detections, '--video', short, '--output', tmp_path / 'o.txt')
    assert 'frame 50' in message and '30 frames' in message


def test_tracking_with_a_film_uses_appearance_and_shots(run_tool, walk, tmp_path):
    film, tracks = walk
    done = run_tool('tools/track.py', '--detections', tracks, '--video', film, '--output', tmp_path / 'o.json')
    assert done.returncode == 0, done.stderr
    result = read_result_json(tmp_path / 'o.json')
    assert result.shots == [(0, 60)]
    assert all(tube.embedding is not None for tube in result.tubes)


def test_people_of_a_film_are_detected_into_mot_text(run_tool, tmp_path):
    film = make_film(tmp_path / 'empty.mp4', num_frames=3, size=(96, 64))
    args = '--output', tmp_path / 'd.txt', '--cfg-options', 'detector.score_thr=0.5'
    done = run_tool('tools/detect_people.py', film, *args)
    assert done.returncode == 0, done.stderr
    assert '0 boxes in 3 frames' in done.stdout
    assert read_mot_txt(tmp_path / 'd.txt').tubes == []
