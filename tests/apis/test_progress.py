import pytest

from mmtube.apis import ProgressLine


def test_without_a_terminal_a_line_is_printed_at_the_start_and_at_the_end(capsys):
    with ProgressLine('film.mp4') as progress:
        for done in range(1, 11):
            progress('draw', done, 10, '2 people')
    first, last = capsys.readouterr().err.splitlines()
    assert first == 'film.mp4 | draw | 1/10 frames | 2 people'
    assert last.startswith('film.mp4 | draw | 10/10 frames | ') and last.endswith('0 s left | 2 people')


def test_more_frames_than_the_container_promised_leave_no_negative_time(capsys):
    with ProgressLine('film.mp4', every_s=0) as progress:
        for done in range(1, 5):
            progress('draw', done, 2)
    assert all('-' not in line for line in capsys.readouterr().err.splitlines())


@pytest.mark.parametrize('name', ['a{b}.mp4', 'film[final].mp4'])
def test_on_a_terminal_names_are_shown_as_they_are(name, monkeypatch, capsys):
    monkeypatch.setenv('FORCE_COLOR', '1')
    monkeypatch.setenv('COLUMNS', '200')
    with ProgressLine(name) as progress:
        progress('draw', 1, 2)
    assert name in capsys.readouterr().err
