"""What the page carries: read literally, it is the result to half a pixel, a millisecond and a thousandth."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from mmtube.structures import Segment, Tube, VideoInfo, VideoResult
from mmtube.visualization.viewer import viewer_page
from mmtube.visualization.viewer.document import viewer_document
from mmtube.visualization.viewer.key_boxes import key_rows

VIDEO = VideoInfo('film.mp4', 640, 480, 25.0, 100, 4.0)


def shown_boxes(person, times_s):
    """Boxes that the page draws at times, NaN where it draws none; written anew from the description of the columns."""
    key_ms = np.cumsum(person['key_ms'])
    columns = np.cumsum(person['boxes'], axis=1) / 4
    drawn = np.full((len(times_s), 4), np.nan)
    first = 0
    for start_ms, end_ms, _, count in np.reshape(person['stretches'], (-1, 4)).tolist():
        keys = slice(first, first + count)
        inside = (1000 * times_s >= start_ms - 0.5) & (1000 * times_s < end_ms - 0.5)
        for place, column in enumerate(columns):
            drawn[inside, place] = np.interp(np.rint(1000 * times_s[inside]), key_ms[keys], column[keys])
        first += count
    assert first == len(key_ms)
    return drawn


def walk(num_rows, step_px, seed=0):
    """Boxes of someone who wanders about."""
    rng = np.random.default_rng(seed)
    corner = np.cumsum(rng.normal(0, step_px, (num_rows, 2)), axis=0) + 300
    return np.concatenate([corner, corner + 40 + 5 * rng.random((num_rows, 2))], axis=1).astype(np.float32)


def test_a_straight_walk_is_its_ends_and_a_turn_is_kept():
    boxes = np.array([[x, 0, x + 4, 8] for x in (0, 3, 6, 9, 12, 9, 6)], float)
    assert key_rows(40 * np.arange(7), boxes).tolist() == [0, 4, 6]


def test_lines_are_in_time_and_not_in_rows():
    boxes = np.array([[x, 0, x + 4, 8] for x in (0, 10, 40)], float)
    assert key_rows(np.array([0, 10, 40]), boxes).tolist() == [0, 2]
    assert key_rows(np.array([0, 20, 40]), boxes).tolist() == [0, 1, 2]


@pytest.mark.parametrize('step_px', [0.0, 0.1, 2.0, 60.0])
def test_boxes_of_all_frames_are_within_half_a_pixel(step_px):
    frames = np.r_[0:400, 450:700, 900]
    observed = np.ones(len(frames), bool)
    observed[100:130] = False
    tube = Tube(3, frames, frames / 29.97, walk(len(frames), step_px), observed=observed)
    (person,) = viewer_document(VideoResult(replace(VIDEO, fps=29.97), [tube]), None)['people']
    drawn = shown_boxes(person, tube.times_s)
    assert np.abs(drawn - tube.boxes_px).max() <= 0.5
    assert np.isnan(shown_boxes(person, np.array([420, 449, 701, 899, 901]) / 29.97)).all()
    stretches = np.reshape(person['stretches'], (-1, 4))
    assert stretches[:, 2].tolist() == [1, 0, 1, 1, 1]
    assert stretches[1, :2].tolist() == [3337, 4338]  # 100 / 29.97 and 130 / 29.97 s


def test_quiet_boxes_are_thinned_and_wild_ones_are_all_kept():
    frames = np.arange(1000)
    counts = []
    for step_px in (0.0, 60.0):
        boxes = walk(1000, step_px)
        boxes[:, 2:] = boxes[:, :2] + 40
        (person,) = viewer_document(VideoResult(VIDEO, [Tube(0, frames, frames / 25, boxes)]), None)['people']
        counts.append(len(person['key_ms']))
    assert counts[0] <= 10 and counts[1] > 990


def test_segments_are_told_with_their_names():
    segments = [Segment(1.5, 2.25, 1, 0.875), Segment(1.0, 3.0, 0, 0.5, 'complex'), Segment(5.0, 9.0, 7)]
    tube = Tube(3, [0], [0.0], [[0, 0, 4, 8]], segments=segments)
    maps = {'atomic': ['walk', 'eat'], 'complex': ['picnic']}
    told = viewer_document(VideoResult(VIDEO, [tube], [(0, 50), (50, 100)], label_maps=maps), 'a.mp4')
    rows = np.reshape(told['people'][0]['segments'], (-1, 5)).tolist()
    assert [[told['tasks'][row[0]], told['names'][row[1]], *row[2:]] for row in rows] == [
        ['complex', 'picnic', 1000, 3000, 500],
        ['atomic', 'eat', 1500, 2250, 875],
        ['atomic', 'atomic 7', 5000, 9000, 1000],
    ]
    assert told['end_ms'] == 9000 and told['shots_ms'] == [2000] and told['url'] == 'a.mp4'


def test_clips_stand_for_segments_only_where_the_film_has_none():
    clips = {'clip_times_s': [1.0, 2.0], 'clip_scores': [[0.9, 0.2, 0.05, 0.6, 0.3], [0.0, 0.05, 0.1, 0.0, 0.0]]}
    tube = Tube(3, [0], [0.0], [[0, 0, 4, 8]], **clips)
    told = viewer_document(VideoResult(VIDEO, [tube], label_maps={'clip': ['a', 'b', 'c', 'd', 'e']}), None)
    rows = np.reshape(told['people'][0]['segments'], (-1, 5)).tolist()
    assert {(told['tasks'][row[0]], told['names'][row[1]], *row[2:]) for row in rows} == {
        ('clip', 'a', 500, 1500, 900),  # the three best of a clip
        ('clip', 'd', 500, 1500, 600),
        ('clip', 'e', 500, 1500, 300),
        ('clip', 'c', 1500, 2500, 100),
    }
    other = Tube(4, [0], [0.0], [[0, 0, 4, 8]], segments=[Segment(0, 1, 0)])
    assert viewer_document(VideoResult(VIDEO, [tube, other]), None)['people'][0]['segments'] == []


def test_nobody_and_people_without_boxes_are_no_error():
    empty = Tube(1, [], [], np.zeros((0, 4)), segments=[Segment(0.0, 1.0, 0)])
    assert viewer_document(VideoResult(VIDEO), None)['people'] == []
    (person,) = viewer_document(VideoResult(VideoInfo('x', 0, 0, 0.0, 0, 0.0), [empty]), None)['people']
    assert person['stretches'] == person['key_ms'] == [] and person['boxes'] == [[]] * 4


def test_names_cannot_leave_the_document():
    hostile = '</script><script>alert(1)</script><!-- $x "\udcff'
    tube = Tube(3, [0], [0.0], [[0, 0, 4, 8]], segments=[Segment(0, 1, 0)])
    video = VideoInfo(hostile, 640, 480, 25.0, 100, 4.0)
    page = viewer_page(VideoResult(video, [tube], label_maps={'atomic': [hostile]}), hostile)
    page.encode('utf-8')
    assert page.count('<script') == 2 and page.count('</script>') == 2 and 'alert(1)</script' not in page
    told = json.loads(re.search('<script type="application/json" id="document">(.*?)</script>', page)[1])
    assert told['name'] == told['names'][0] == told['url'] == hostile
    assert '&lt;/script&gt;&lt;script&gt;alert(1)' in re.search('<title>(.*?)</title>', page)[1]


def test_the_page_names_no_address():
    assert re.findall(r'https?://|//[a-z]', viewer_page(VideoResult(VIDEO), None)) == []
