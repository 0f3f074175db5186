import os

import pytest

from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import atomic_path, check_writable, read_text, write_text


def test_a_file_appears_whole_with_ordinary_rights(tmp_path):
    write_text(tmp_path / 'new' / 'a.txt', 'grüß')
    assert (tmp_path / 'new' / 'a.txt').read_bytes() == 'grüß'.encode()
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / 'new' / 'a.txt').stat().st_mode & 0o777 == 0o666 & ~umask


def test_the_temporary_name_keeps_the_suffix(tmp_path):
    with atomic_path(tmp_path / 'film.mp4') as temporary:
        assert temporary.suffix == '.mp4' and temporary.parent == tmp_path


def test_when_the_block_raises_the_old_file_stays_and_nothing_is_left(tmp_path):
    write_text(tmp_path / 'a.txt', 'old')
    with pytest.raises(RuntimeError, match='half way'), atomic_path(tmp_path / 'a.txt') as temporary:
        temporary.write_text('new')
        raise RuntimeError('half way')
    assert (tmp_path / 'a.txt').read_text() == 'old'
    assert [path.name for path in tmp_path.iterdir()] == ['a.txt']


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(InputError, match=r'a\.txt: cannot be written'):
        write_text(tmp_path / 'file' / 'a.txt', '')
    with pytest.raises(InputError, match='is a folder'):
        write_text(tmp_path, '')


def test_a_place_can_be_tried_without_a_trace(tmp_path):
    check_writable(tmp_path / 'new' / 'folder' / 'a.txt')
    assert list(tmp_path.iterdir()) == []
    (tmp_path / 'file').touch()
    with pytest.raises(InputError, match=r'a\.txt: cannot be written \(Not a directory\)'):
        check_writable(tmp_path / 'file' / 'a.txt')
    with pytest.raises(InputError, match='is a folder'):
        check_writable(tmp_path)


def test_what_is_no_text_is_named(tmp_path):
    (tmp_path / 'a.txt').write_bytes(b'\xff\xfe\xff')
    with pytest.raises(InputError, match=r'a\.txt: is not a UTF-8 text file'):
        read_text(tmp_path / 'a.txt')
    with pytest.raises(InputError, match=r'b\.txt: cannot be read \(No such file'):
        read_text(tmp_path / 'b.txt')


@pytest.mark.parametrize(
    'outcome, code, message',
    [
        (lambda: None, 0, ''),
        (lambda: 1, 1, ''),
        (lambda: (_ for _ in ()).throw(InputError('a.txt:\n  row 3')), 2, 'error: a.txt: row 3\n'),
        (lambda: (_ for _ in ()).throw(KeyboardInterrupt), 130, 'interrupted\n'),
    ],
)
def test_a_command_ends_with_a_code_and_one_line(outcome, code, message, capsys):
    with pytest.raises(SystemExit) as stop:
        exit_on_input_error(lambda: next(outcome()) if hasattr(outcome(), '__next__') else outcome())
    assert stop.value.code == code
    assert capsys.readouterr().err == message


def test_a_programming_error_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        exit_on_input_error(lambda: 1 // 0)
