import re

import numpy as np
import pytest
from hypothesis import given
from results import through, video_results

from mmtube.errors import InputError
from mmtube.structures import Segment, Tube, VideoInfo, VideoResult
from mmtube.structures.io import read_webvtt, write_webvtt

CLOCK = r'(\d\d+):([0-5]\d):([0-5]\d)\.(\d{3})'


def film(*tubes, **label_maps):
    return VideoResult(VideoInfo('film.mp4', 64, 48, 25.0, 200, 8.0), list(tubes), label_maps=label_maps)


def person(track_id=3, start_s=0.0, **fields):
    return Tube(track_id, [0, 100], [start_s, start_s + 4], [[0, 0, 4, 8]] * 2, **fields)


def written(result, tmp_path, **options):
    write_webvtt(result, tmp_path / 'film.vtt', **options)
    return (tmp_path / 'film.vtt').read_text(encoding='utf-8')


def shown(tubes, result):
    """What the subtitles say of segments, in the precision of the format."""
    rows = set()
    for tube in tubes:
        for segment in tube.segments:
            start_ms = round(segment.start_s * 1000)
            end_ms = max(round(segment.end_s * 1000), start_ms + 1)
            name = ' '.join(result.label_name(segment.task, segment.label).split())
            rows.add((tube.track_id, segment.task, name, start_ms, end_ms, f'{segment.score:.2f}'))
    return rows


@given(video_results())
def test_the_segments_that_are_shown_come_back(result):
    back = through(write_webvtt, read_webvtt, result, clip_thr=2.0)
    assert shown(back.tubes, back) == shown(result.tubes, result)
    expected = [tube.track_id for tube in result.tubes if tube.segments] or [
        tube.track_id for tube in result.tubes if len(tube)
    ]
    assert [tube.track_id for tube in back.tubes] == sorted(expected)


@given(video_results())
def test_cues_are_valid_and_in_the_order_of_time(result):
    text = through(write_webvtt, lambda path: path.read_text(encoding='utf-8'), result)
    header, *cues = text.rstrip('\n').split('\n\n')
    assert header == 'WEBVTT'
    starts = []
    for number, cue in enumerate(cues, start=1):
        identifier, timing, payload = cue.split('\n')
        assert identifier.split()[0] == str(number)
        match = re.fullmatch(f'{CLOCK} --> {CLOCK}', timing)
        start, end = (tuple(map(int, match.groups()[part : part + 4])) for part in (0, 4))
        assert start < end
        starts.append(start)
        assert not re.search(r'[<>]|&(?!amp;|lt;|gt;)', payload)
    assert starts == sorted(starts)
    assert bool(cues) == any(len(tube) or tube.segments for tube in result.tubes)


def test_a_cue_names_the_person_and_all_actions_of_a_span(tmp_path):
    segments = [Segment(1, 2.5, 1, 0.64), Segment(1, 2.5, 0, 0.82), Segment(0.5, 3723.0625, 0, 0.3, 'complex')]
    result = film(person(segments=segments), atomic=['walk', 'R&B <dance>'], complex=['cook'])
    assert written(result, tmp_path) == (
        'WEBVTT\n\n'
        '1 complex\n00:00:00.500 --> 01:02:03.062\n#3 cook (0.30)\n\n'
        '2 atomic\n00:00:01.000 --> 00:00:02.500\n#3 walk (0.82), R&amp;B &lt;dance&gt; (0.64)\n'
    )


def test_runs_of_neighbouring_clips_stand_in_for_segments(tmp_path):
    # One clip each second: class 0 at 1, 2, 3 s and again at 5 s, class 1 at 3 s.
    scores = np.array([[0.8, 0], [0.6, 0], [0.7, 0.9], [0.1, 0], [0.5, 0]], np.float32)
    tube = person(clip_times_s=[1.0, 2, 3, 4, 5], clip_scores=scores)
    assert written(film(tube, clip=['walk', 'eat']), tmp_path) == (
        'WEBVTT\n\n'
        '1 clip\n00:00:00.500 --> 00:00:03.500\n#3 walk (0.70)\n\n'
        '2 clip\n00:00:02.500 --> 00:00:03.500\n#3 eat (0.90)\n\n'
        '3 clip\n00:00:04.500 --> 00:00:05.500\n#3 walk (0.50)\n'
    )
    assert 'eat' not in written(film(tube, clip=['walk', 'eat']), tmp_path, clip_thr=0.95)


def test_a_hole_between_clips_ends_the_run(tmp_path):
    tube = person(clip_times_s=[1.0, 2, 8, 9], clip_scores=np.ones((4, 1)))
    text = written(film(tube, clip=['walk']), tmp_path)
    assert re.findall(r'.* --> .*', text) == [
        '00:00:00.500 --> 00:00:02.500',
        '00:00:07.500 --> 00:00:09.500',
    ]


def test_segments_replace_the_clips_of_their_tube_only(tmp_path):
    clips = {'clip_times_s': [1.0], 'clip_scores': [[0.9]]}
    one, two = person(1, segments=[Segment(0, 1, 0, 0.5)], **clips), person(2, **clips)
    text = written(film(one, two, atomic=['sit'], clip=['walk']), tmp_path)
    assert re.findall('#.*', text) == ['#1 sit (0.50)', '#2 walk (0.90)']


def test_people_who_do_nothing_are_shown_while_they_are_visible(tmp_path):
    assert written(film(person(7, start_s=1.0), person(2)), tmp_path) == (
        'WEBVTT\n\n1 visible\n00:00:00.000 --> 00:00:04.040\n#2\n\n2 visible\n00:00:01.000 --> 00:00:05.040\n#7\n'
    )
    back = read_webvtt(tmp_path / 'film.vtt')
    assert [(tube.track_id, tube.segments) for tube in back.tubes] == [(2, []), (7, [])]


def test_a_film_without_people_has_no_cue(tmp_path):
    assert written(film(), tmp_path) == 'WEBVTT\n'
    assert read_webvtt(tmp_path / 'film.vtt').tubes == []


def test_clip_runs_come_back_as_atomic_segments():
    tube = person(clip_times_s=[1.0, 2], clip_scores=np.full((2, 1), 0.75))
    back = through(write_webvtt, read_webvtt, film(tube, clip=['talk to (e.g., self, a group)']))
    assert back.tubes[0].segments == [Segment(0.5, 2.5, 0, 0.75, 'atomic')]
    assert back.label_maps == {'atomic': ['talk to (e.g., self, a group)']}


def test_comments_settings_and_short_clocks_are_understood(tmp_path):
    (tmp_path / 'film.vtt').write_text(
        '\ufeffWEBVTT made by hand\n\nNOTE a comment\nof two lines\n\n00:01.000 --> 00:02.000 line:0\n#3 walk (0.50)\n'
    )
    result = read_webvtt(tmp_path / 'film.vtt')
    assert result.tubes[0].segments == [Segment(1, 2, 0, 0.5)]


BAD = {
    'no timing': ('1 atomic\n#3 walk (0.50)', 'a cue has no timing line'),
    'no text': ('1 atomic\n00:01.000 --> 00:02.000', 'a cue has no text'),
    'cut timing': ('1 atomic\n00:01.000 --> 00:0\n#3', 'a cue has no timing line'),
    'cut off': ('1 atomic\n00:01.000 --> 00:02.000\n#3 walk (0.5', 'is not "#ID action (score), ..."'),
    'speech': ('1\n00:01.000 --> 00:02.000\nHello!', 'is not "#ID action (score), ..."'),
    'reversed': ('1\n00:02.000 --> 00:01.000\n#3', 'a cue ends before it starts'),
}


@pytest.mark.parametrize('cue, cause', BAD.values(), ids=BAD)
def test_a_bad_cue_is_named_by_file_and_line(tmp_path, cue, cause):
    (tmp_path / 'film.vtt').write_text(f'WEBVTT\n\n{cue}\n')
    with pytest.raises(InputError) as caught:
        read_webvtt(tmp_path / 'film.vtt')
    assert f'film.vtt:3: {cause}' in str(caught.value)
    assert '\n' not in str(caught.value)
