"""The examples of docs/formats.md are what the writers write."""

import re
from pathlib import Path

import pytest

from mmtube.structures import Segment, Tube, VideoInfo, VideoResult, io

PAGE = (Path(__file__).parents[3] / 'docs' / 'formats.md').read_text(encoding='utf-8')
FILM = VideoResult(
    VideoInfo('film.mp4', 640, 480, 25.0, 100, 4.0),
    [
        Tube(
            3,
            [0, 25],
            [0.0, 1.0],
            [[64, 48, 320, 240], [65.5, 48, 321.5, 240]],
            scores=[0.9, 0.8],
            clip_times_s=[1.0],
            clip_scores=[[0.25, 0.75]],
            segments=[Segment(0.5, 2.5, 1, 0.75), Segment(0.0, 3.0, 0, 0.5, 'complex')],
        )
    ],
    label_maps={'clip': ['walk', 'eat'], 'atomic': ['walk', 'eat'], 'complex': ['picnic']},
)
SECTIONS = {
    'Result JSON': (io.write_result_json, {}),
    'MOT text': (io.write_mot_txt, {}),
    'AVA csv': (io.write_ava_csv, {'person_ids': True}),
    'ActivityNet JSON': (io.write_activitynet_json, {}),
    'WebVTT': (io.write_webvtt, {}),
}


def example(section):
    return re.search(rf'^## {section}\n.*?```\w*\n(.*?)```', PAGE, re.DOTALL | re.MULTILINE)[1].splitlines()


@pytest.mark.parametrize('section', SECTIONS)
def test_the_example_of_each_format_is_what_is_written(tmp_path, section):
    write, options = SECTIONS[section]
    write(FILM, tmp_path / 'file', **options)
    written = [line.strip() for line in (tmp_path / 'file').read_text(encoding='utf-8').splitlines()]
    assert len(example(section)) >= 2
    assert [line for line in example(section) if line.rstrip(',') not in [row.rstrip(',') for row in written]] == []


def test_every_function_is_named_on_the_page():
    assert [name for name in io.__all__ if name not in PAGE] == []
