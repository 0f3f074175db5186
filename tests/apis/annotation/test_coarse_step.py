"""Step 1: from films, or from what was found in them, to tubelets."""

import numpy as np
import pytest

from mmtube.apis import load_pipeline
from mmtube.apis.annotation import CoarseStep, split_at_cuts
from mmtube.datasets.quality import check_annotations
from mmtube.errors import InputError
from mmtube.structures import Tube, VideoInfo, VideoResult
from mmtube.structures.io import write_result_json
from mmtube.structures.seal import VideoRecord
from mmtube.testing import make_film

VIDEO = VideoRecord('web', 200, 100, 10.0, 40, 4.0, 'val', ((0, 20), (20, 40)))


def mot(path, rows):
    """Rows of frame index, ID, left edge; boxes are 20 x 60 pixels."""
    path.parent.mkdir(exist_ok=True)
    lines = [f'{frame + 1},{number},{left + 1},21,20,60,0.9,-1,-1,-1\n' for frame, number, left in rows]
    path.write_text(''.join(lines))


def facts(annotations):
    return {tid: (t.frame_range, t.stage) for tid, t in annotations.tubelets.items()}


def step(folder, kind, **options):
    return CoarseStep(load_pipeline('seal/annotation'), found=(kind, folder), **{'videos': {'v': VIDEO}, **options})


def test_detections_become_tubelets_that_end_at_a_cut(tmp_path):
    mot(tmp_path / 'found' / 'v.txt', [(frame, -1, left + frame) for frame in range(40) for left in (40, 100)])
    annotations, bad = step(tmp_path / 'found', 'detections').run(tmp_path / 'parts')
    assert not bad.causes and annotations.videos == {'v': VIDEO}
    ranges = sorted(t.frame_range for t in annotations.tubelets.values())
    assert ranges == [(0, 20), (0, 20), (20, 40), (20, 40)]
    assert {t.stage for t in annotations.tubelets.values()} == {1}
    assert check_annotations(annotations).num_errors == 0


def test_people_at_the_border_are_no_candidates(tmp_path):
    rows = [(frame, -1, left) for frame in range(20) for left in (-5, 90)]
    mot(tmp_path / 'found' / 'v.txt', rows)
    annotations, _ = step(tmp_path / 'found', 'detections').run(tmp_path / 'parts')
    (tid,) = annotations.tubelets
    assert np.abs(annotations.track(tid).boxes_px[:, 0] - 90).max() < 1


def test_given_tracks_are_divided_at_cuts_and_cut_at_the_frame(tmp_path):
    mot(tmp_path / 'found' / 'v.txt', [(frame, 7, -10) for frame in range(10, 30)] + [(3, 9, 300)])
    annotations, _ = step(tmp_path / 'found', 'tracks').run(tmp_path / 'parts')
    assert sorted(facts(annotations).values()) == [((10, 20), 1), ((20, 30), 1)]  # 9 is outside of the frame
    assert annotations.boxes.boxes_px[0].tolist() == [0, 20, 10, 80]
    assert check_annotations(annotations).num_errors == 0


def test_only_the_longest_are_kept(tmp_path):
    rows = [(frame, number, 30 * number) for number in range(5) for frame in range(5 + number)]
    mot(tmp_path / 'found' / 'v.txt', rows)
    cfg = load_pipeline('seal/annotation', {'subject_chooser.top_k': 2})
    annotations, _ = CoarseStep(cfg, found=('tracks', tmp_path / 'found'), videos={'v': VIDEO}).run(tmp_path / 'parts')
    assert sorted(annotations.tubelets) == ['v.3', 'v.4']


def test_results_of_the_pipeline_are_taken_with_their_shots(tmp_path):
    tube = Tube(3, range(10), np.arange(10) / 10, [[20, 20, 40, 80]] * 10, observed=[True] * 9 + [False])
    result = VideoResult(VideoInfo('film.mp4', 200, 100, 10.0, 40, 4.0), [tube], [(0, 25), (25, 40)])
    (tmp_path / 'found' / 'film.mp4').mkdir(parents=True)
    write_result_json(result, tmp_path / 'found' / 'film.mp4' / 'result.json')
    (tmp_path / 'found' / 'bad.json').write_text('{')
    annotations, bad = step(tmp_path / 'found', 'results', videos=None).run(tmp_path / 'parts')
    assert annotations.videos['film'].shots == ((0, 25), (25, 40))
    assert facts(annotations) == {'film.3': ((0, 10), 1)}
    assert annotations.track('film.3').flags.tolist() == [0] * 9 + [1]
    assert list(bad.causes) == ['bad'] and 'bad.json' in bad.causes['bad']


def two_scenes(path):
    """A film with a cut at frame 20."""
    frames = [np.full((100, 200, 3), 40 if frame < 20 else 220, np.uint8) for frame in range(40)]
    return make_film(path, frames=frames, fps=10)


def test_shots_come_from_the_film_where_no_table_has_them(tmp_path):
    (tmp_path / 'films').mkdir()
    two_scenes(tmp_path / 'films' / 'v.mp4')
    mot(tmp_path / 'found' / 'v.txt', [(frame, 1, 40) for frame in range(40)])
    for kind in ('tracks', 'detections'):
        annotations, bad = step(tmp_path / 'found', kind, videos=None, films=tmp_path / 'films').run(tmp_path / 'parts')
        assert annotations.videos['v'].shots == ((0, 20), (20, 40)) and not bad.causes
        assert sorted(t.frame_range for t in annotations.tubelets.values()) == [(0, 20), (20, 40)]


def test_a_bad_film_ends_nothing_and_a_second_run_does_only_what_is_missing(tmp_path):
    rows = [(frame, 1, 40) for frame in range(20)]
    for name in 'abc':
        mot(tmp_path / 'found' / f'{name}.txt', rows)
    (tmp_path / 'found' / 'b.txt').write_text('1,2,3\n')
    videos = dict.fromkeys('abc', VIDEO)
    seen = []
    annotations, bad = step(tmp_path / 'found', 'tracks', videos=videos).run(tmp_path / 'parts')
    assert list(annotations.videos) == ['a', 'c'] and list(bad.causes) == ['b'] and 'b.txt:1' in bad.causes['b']
    mot(tmp_path / 'found' / 'b.txt', rows)
    annotations, bad = step(tmp_path / 'found', 'tracks', videos=videos).run(
        tmp_path / 'parts', lambda *told: seen.append(told)
    )
    assert seen == [('a', 1, False), ('b', 1, True), ('c', 1, False)]
    assert list(annotations.videos) == ['a', 'b', 'c'] and not (tmp_path / 'parts').exists()


def test_people_are_selected_anew_by_another_selector(tmp_path):
    mot(tmp_path / 'found' / 'v.txt', [(frame, -1, left) for frame in range(20) for left in (60, 110)])
    (tmp_path / 'found' / 'bad.txt').write_text('1,2,3\n')  # so that what is done is kept
    found = []
    for top_k in (8, 1):
        cfg = load_pipeline('seal/annotation', {'selector.top_k': top_k})
        films = CoarseStep(cfg, found=('detections', tmp_path / 'found'), videos={'v': VIDEO, 'bad': VIDEO})
        found.append(len(films.run(tmp_path / 'parts')[0].tubelets))
    assert found == [2, 1]


def test_a_film_that_the_table_lacks_is_told(tmp_path):
    mot(tmp_path / 'found' / 'x.txt', [(0, 1, 40)])
    _, bad = step(tmp_path / 'found', 'tracks').run(tmp_path / 'parts')
    assert "the film 'x' is not in the table of films" in bad.causes['x']


def test_a_film_without_people_stays_a_film(tmp_path):
    mot(tmp_path / 'found' / 'v.txt', [])
    for kind in ('tracks', 'detections'):
        annotations, bad = step(tmp_path / 'found', kind).run(tmp_path / 'parts')
        assert list(annotations.videos) == ['v'] and not annotations.tubelets and not bad.causes


def test_what_cannot_be_used_is_told_at_once(tmp_path):
    cfg = load_pipeline('seal/annotation')
    with pytest.raises(InputError, match='there is no such folder of tracks'):
        CoarseStep(cfg, found=('tracks', tmp_path / 'none'))
    with pytest.raises(InputError, match='there is no such film or folder'):
        CoarseStep(cfg, tmp_path / 'none')
    with pytest.raises(InputError, match='give films, or detections, tracks or results'):
        CoarseStep(cfg)
    with pytest.raises(InputError, match='tell the films or a table'):
        CoarseStep(cfg, found=('tracks', tmp_path))
    with pytest.raises(InputError, match=r'has no .txt of a film'):
        step(tmp_path, 'tracks').run(tmp_path / 'parts')


def test_tubes_are_divided_at_each_cut_and_the_first_part_keeps_the_id():
    boxes = [[0, 0, 4, 8]] * 12
    tubes = [Tube(5, range(12), np.arange(12) / 10, boxes), Tube(2, range(3), np.arange(3) / 10, boxes[:3])]
    parts = split_at_cuts(tubes, [(0, 4), (4, 8), (8, 12)])
    assert [(p.track_id, p.frame_inds.tolist()) for p in parts] == [
        (2, [0, 1, 2]),
        (5, [0, 1, 2, 3]),
        (6, [4, 5, 6, 7]),
        (7, [8, 9, 10, 11]),
    ]
    assert parts[2].tubelet_ids.tolist() == [6] * 4
    assert split_at_cuts(tubes, [])[1] is tubes[0]


def test_no_hole_is_filled_across_a_cut(tmp_path):
    mot(tmp_path / 'found' / 'v.txt', [(frame, -1, 40) for frame in range(40) if not 18 <= frame < 22])
    annotations, _ = step(tmp_path / 'found', 'detections').run(tmp_path / 'parts')
    assert sorted(t.frame_range for t in annotations.tubelets.values()) == [(0, 18), (22, 40)]
