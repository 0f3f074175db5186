"""Detect, track and link, each in a command of its own."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mmtube.apis import load_pipeline
from mmtube.structures import LinkProposal
from mmtube.structures.io import (
    LinkProposals,
    read_link_proposals,
    read_mot_txt,
    read_result_json,
    write_link_proposals,
)
from mmtube.structures.seal import BoxTable, SEALAnnotations, TubeletRecord, VideoRecord, write_seal_json
from mmtube.testing import make_film

ROOT = Path(__file__).parents[2]
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


@pytest.fixture
def run_here(monkeypatch, capsys):
    """Run a script of the project in this process; many small runs need not import everything anew."""

    def run(script, *args):
        monkeypatch.setattr(sys, 'argv', [script, *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(ROOT / script), run_name='__main__')
        told = capsys.readouterr()
        return subprocess.CompletedProcess(sys.argv, end.value.code, told.out, told.err)

    return run


@pytest.fixture
def refused_here(run_here):
    """The same for what must be refused in one line, which is returned."""

    def run(script, *args):
        done = run_here(script, *args)
        assert done.returncode == 2 and done.stderr.count('error: ') == 1, done.stderr
        return done.stderr

    return run


def test_proposals_go_to_a_reviewer_and_come_back(run_here, refused_here, walk, tmp_path):
    film, tracks = walk
    linked, none, applied = (tmp_path / f'{name}.json' for name in ('linked', 'none', 'applied'))
    review = tmp_path / 'review'
    args = '--tracks', tracks, '--video', film
    done = run_here('tools/link_tubes.py', *args, '--output', linked, '--propose', review)
    assert done.returncode == 0, done.stderr
    path = review / 'tracks.proposals.json'
    found = read_link_proposals(path)
    assert [(p.earlier_id, p.later_id, p.made, p.accepted) for p in found.proposals] == [(1, 3, True, True)]
    page = path.with_suffix('.html').read_text()
    assert page.count('<img') == 6 and 'http' not in page.split('<body')[1]

    # What the linker made is what applying its proposals makes.
    done = run_here('tools/link_tubes.py', '--tracks', tracks, '--apply', path, '--output', applied)
    assert done.returncode == 0, done.stderr
    same = [
        (tube.track_id, tube.frame_inds.tolist(), tube.tubelet_ids.tolist()) for tube in read_result_json(linked).tubes
    ]
    tubes = read_result_json(applied).tubes
    assert [(tube.track_id, tube.frame_inds.tolist(), tube.tubelet_ids.tolist()) for tube in tubes] == same
    done = run_here('tools/link_tubes.py', '--tracks', applied, '--undo', 1, '--output', tmp_path / 'undone.txt')
    assert (tmp_path / 'undone.txt').read_text().splitlines() == tracks_in_order(tracks)

    # A reviewer says no.
    path.write_text(path.read_text().replace('"accepted": true', '"accepted": false'))
    run_here('tools/link_tubes.py', '--tracks', tracks, '--apply', path, '--output', none)
    assert len(read_result_json(none).tubes) == 3
    for choice in (('--numbers', '1'), ('--all',)):
        run_here('tools/link_tubes.py', '--tracks', tracks, '--apply', path, *choice, '--output', none)
        assert len(read_result_json(none).tubes) == 2
    message = refused_here('tools/link_tubes.py', '--tracks', tracks, '--apply', path, '--numbers', 2, '--output', none)
    assert 'has 1 proposals, there is no 2' in message
    assert '--apply' in refused_here('tools/link_tubes.py', '--tracks', tracks, '--all', '--output', none)


def test_proposals_for_other_tubelets_are_refused(refused_here, walk, tmp_path):
    proposals = [LinkProposal(1, 2, 0.1, 0.0, 'seen at once', True, True), LinkProposal(1, 9, 0.1, 0.0, '', True, True)]
    for number in (1, 2):
        path = tmp_path / 'p.json'
        write_link_proposals(LinkProposals('walk.mkv', proposals), path)
        args = '--tracks', walk[1], '--apply', path, '--numbers', number
        message = refused_here('tools/link_tubes.py', *args, '--output', tmp_path / 'o.json')
        assert 'p.json' in message and 'do not fit these tubelets' in message
        assert number == 1 or 'tubelet 9, which does not exist' in message


def test_one_bad_film_does_not_end_a_folder(run_here, walk, tmp_path):
    film, tracks = walk
    folder, films, out = (tmp_path / name for name in ('folder', 'films', 'out'))
    folder.mkdir()
    films.mkdir()
    for name in ('a', 'c'):
        (folder / f'{name}.txt').write_bytes(tracks.read_bytes())
        (films / f'{name}.mkv').write_bytes(film.read_bytes())
    (folder / 'b.txt').write_text('no tracks at all\n')
    (folder / 'd.txt').write_bytes(tracks.read_bytes())  # its film is missing
    done = run_here('tools/link_tubes.py', '--tracks', folder, '--video', films, '--output', out)
    assert done.returncode == 2 and '2 of 4 films done' in done.stdout
    assert sorted(path.name for path in out.iterdir()) == ['a.json', 'c.json']
    assert 'error: b:' in done.stderr and 'error: d: ' in done.stderr and 'Traceback' not in done.stderr
    assert len(read_result_json(out / 'c.json').tubes) == 2


def seal_walk(walk, folder):
    """The film as coarse tubelets and as people of SEAL annotations, twice."""
    rows = [line.split(',') for line in walk[1].read_text().splitlines()]
    sets = {'coarse': {}, 'people': {}}
    videos, tubelets, tracks = {}, {'coarse': {}, 'people': {}}, sets
    for vid in ('walk_0', 'walk_1'):
        (folder / 'videos').mkdir(exist_ok=True)
        (folder / 'videos' / f'{vid}.mkv').write_bytes(walk[0].read_bytes())
        videos[vid] = VideoRecord('x', 160, 120, 25.0, 60, 2.4, 'val', ((0, 60),))
        for kind, person_of in (('coarse', {1: 1, 2: 2, 3: 3}), ('people', {1: 1, 2: 2, 3: 1})):
            for person in sorted(set(person_of.values())):
                mine = [row for row in rows if person_of[int(row[1])] == person]
                frames = np.array([int(row[0]) - 1 for row in mine])
                left_top = np.array([[float(row[2]) - 1, float(row[3]) - 1] for row in mine])
                boxes = np.concatenate([left_top, left_top + np.array([20, 50])], axis=1)
                tid = f'{vid}_{person}'
                tubelets[kind][tid] = TubeletRecord(vid, person, (frames[0], frames[-1] + 1), tid, stage=1)
                tracks[kind][tid] = frames, boxes, np.full(len(frames), 0.9), np.zeros(len(frames))
    for kind in sets:
        annotations = SEALAnnotations(videos, tubelets[kind], boxes=BoxTable.from_tracks(tracks[kind]))
        write_seal_json(annotations, folder / f'{kind}.json')
    return folder / 'coarse.json', folder / 'people.json', folder / 'videos'


def test_all_films_of_annotations_are_linked_and_scored(run_here, walk, tmp_path):
    coarse, people, videos = seal_walk(walk, tmp_path)
    args = '--tracks', coarse, '--video', videos, '--output', tmp_path / 'out', '--config', 'seal_mini/link_coarse'
    done = run_here('tools/link_tubes.py', *args)
    assert done.returncode == 0 and '2 of 2 films done' in done.stdout, done.stderr
    score = '--gt', people, '--pred', tmp_path / 'out', '--ids-per-shot'
    done = run_here('tools/evaluate.py', 'linking', *score)
    assert 'IDs of the ground truth end at shot changes' in done.stdout
    numbers = dict(line.split() for line in done.stdout.splitlines() if len(line.split()) == 2)
    assert float(numbers['IDF1']) == 100 and int(numbers['right_merges']) == 2
    assert float(numbers['IDF1_before_linking']) < 95


def test_proposals_of_one_film_are_not_applied_to_many(run_here, refused_here, walk, tmp_path):
    coarse, _, videos = seal_walk(walk, tmp_path)
    args = '--tracks', coarse, '--video', videos, '--output', tmp_path / 'out'
    done = run_here('tools/link_tubes.py', *args, '--propose', tmp_path / 'review')
    assert done.returncode == 0, done.stderr
    args = '--tracks', coarse, '--output', tmp_path / 'applied', '--apply'
    message = refused_here('tools/link_tubes.py', *args, tmp_path / 'review' / 'walk_0.proposals.json')
    assert '--apply must be a folder' in message and not (tmp_path / 'applied').exists()
    done = run_here('tools/link_tubes.py', *args, tmp_path / 'review')
    assert done.returncode == 0 and '2 of 2 films done' in done.stdout


def test_calibration_needs_a_folder_of_films(refused_here, walk, tmp_path):
    coarse, people, _ = seal_walk(walk, tmp_path)
    files = '--gt', people, '--tubelets', coarse, '--cache', tmp_path / 'cache', '--videos'
    for videos in (tmp_path / 'nosuch', walk[0]):
        assert 'no such folder of films' in refused_here('tools/analysis/calibrate_linking.py', *files, videos)


def test_a_threshold_is_calibrated_and_inherited(run_here, refused_here, walk, tmp_path):
    coarse, people, videos = seal_walk(walk, tmp_path)
    files = '--gt', people, '--tubelets', coarse, '--videos', videos, '--cache', tmp_path / 'cache'
    config = tmp_path / 'calibrated.py'
    args = *files, '--wrong-rate', 0.8, '--output', config, '--plot', tmp_path / 'curve.png'
    options = '--cfg-options', 'linker.max_gap_s=30'
    done = run_here('tools/analysis/calibrate_linking.py', *args, *options)
    assert done.returncode == 0, done.stderr
    assert '0 of 2 merges wrong, at most 77.64 % with confidence 0.95; recall 100.0 %' in done.stdout
    assert (tmp_path / 'curve.png').stat().st_size > 1000
    linker = load_pipeline(config).linker
    assert linker.type == 'TubeLinker' and linker.max_gap_s == 30
    assert f'max_cost = {linker.max_cost:g}:' in done.stdout
    # Films are not looked at again.
    for film in videos.iterdir():
        stat = film.stat()
        film.write_bytes(b'0' * stat.st_size)
        os.utime(film, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert run_here('tools/analysis/calibrate_linking.py', *args, *options).stdout == done.stdout
    message = refused_here('tools/analysis/calibrate_linking.py', *files, '--wrong-rate', 0.01)
    assert 'it takes 299 merges' in message
    assert 'films' in refused_here(
        'tools/link_tubes.py', '--tracks', coarse, '--video', walk[0], '--output', tmp_path / 'o'
    )
