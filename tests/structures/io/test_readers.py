"""What all readers and writers owe their user."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from results import through, video_results

from mmtube.errors import InputError
from mmtube.structures import Tube, VideoInfo, VideoResult, io

READERS = {
    'result_json': io.read_result_json,
    'activitynet_json': io.read_activitynet_json,
    'webvtt': io.read_webvtt,
    'mot_txt': io.read_mot_txt,
    'mot_detections': io.read_mot_detections,
    'ava_csv': lambda path: io.read_ava_csv(path, (64, 48), 25),
}
WRITERS = [
    io.write_result_json,
    io.write_activitynet_json,
    io.write_webvtt,
    io.write_mot_txt,
    io.write_ava_csv,
]
reader = pytest.mark.parametrize('read', READERS.values(), ids=READERS)
writer = pytest.mark.parametrize('write', WRITERS, ids=lambda write: write.__name__)


def refuse(read, path, cause):
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert cause in str(caught.value)
    assert '\n' not in str(caught.value)


@reader
def test_a_missing_file_a_folder_and_bytes_are_refused(tmp_path, read):
    refuse(read, tmp_path / 'absent', 'No such file')
    refuse(read, tmp_path, 'directory')
    (tmp_path / 'film.mp4').write_bytes(b'\x00\x00\x00\x20ftypisom\xff\xfe\x80')
    refuse(read, tmp_path / 'film.mp4', 'is not a UTF-8 text file')


@reader
def test_a_file_of_another_kind_is_refused(tmp_path, read):
    for number, text in enumerate(['[1, 2]', '"text"', '{}', 'hello, world', '<html>\n</html>', '[' * 100_000]):
        (tmp_path / f'{number}').write_text(text)
        refuse(read, tmp_path / f'{number}', str(tmp_path))


@pytest.mark.parametrize('name', ['result_json', 'activitynet_json', 'webvtt'])
@pytest.mark.parametrize('text', ['', '\n \n'])
def test_an_empty_file_is_refused_where_the_format_has_a_head(tmp_path, name, text):
    (tmp_path / 'empty').write_text(text)
    refuse(READERS[name], tmp_path / 'empty', 'empty' if not text or 'json' in name else 'does not begin with WEBVTT')


@writer
def test_what_is_not_finite_is_not_written_and_the_old_file_stays(tmp_path, write):
    tube = Tube(0, [0], [0.0], [[0, 0, 4, 8]], scores=[np.inf])
    (tmp_path / 'film').write_text('old')
    with pytest.raises(InputError, match='scores of tube 0 has a number that is not finite'):
        write(VideoResult(VideoInfo('film.mp4', 64, 48, 25.0, 1, 0.04), [tube]), tmp_path / 'film')
    assert (tmp_path / 'film').read_text() == 'old'


@writer
def test_a_result_without_people_is_written_and_read(tmp_path, write):
    write(VideoResult(VideoInfo('film.mp4', 64, 48, 25.0, 1, 0.04)), tmp_path / 'film')
    read = READERS[write.__name__.removeprefix('write_')]
    assert read(tmp_path / 'film').tubes == []


def test_the_structures_do_not_load_their_readers():
    code = 'import sys, mmtube.structures; sys.exit("mmtube.structures.io" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0


@pytest.mark.parametrize('write', WRITERS, ids=lambda write: write.__name__)
@settings(max_examples=40)
@given(result=video_results(), data=st.data())
def test_a_damaged_file_is_read_or_refused_but_nothing_else(write, result, data):
    read = READERS[write.__name__.removeprefix('write_')]

    def damage_and_read(path):
        text = path.read_text(encoding='utf-8')
        start, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 12))
        filling = data.draw(st.text('0123456789-+.eE,:"[]{}#() \nnaifx>\x00é', max_size=6))
        path.write_text(text[:start] + filling + text[start + length :], encoding='utf-8')
        try:
            read(path)
        except InputError as error:
            assert '\n' not in str(error)

    through(write, damage_and_read, result)
