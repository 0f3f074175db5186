import os
import subprocess
import sys

import pytest
from torch.utils.data import DataLoader, Dataset

from mmtube.errors import InputError, MissingCheckpointError, exit_on_input_error


class Broken(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        raise InputError('film.mp4: frame 3: is damaged')


@pytest.mark.parametrize(
    'error', [InputError('a.json: row 3:\n is wrong'), MissingCheckpointError('a.json: row 3: is wrong')]
)
def test_an_input_error_is_one_line_and_code_2(error, capsys):
    def main():
        raise error

    with pytest.raises(SystemExit) as stopped:
        exit_on_input_error(main)
    assert stopped.value.code == 2
    assert capsys.readouterr().err == 'error: a.json: row 3: is wrong\n'


@pytest.mark.parametrize('workers', [0, 1])
def test_an_input_error_of_a_worker_process_is_one_line_too(workers, capsys):
    with pytest.raises(SystemExit) as stopped:
        exit_on_input_error(lambda: next(iter(DataLoader(Broken(), num_workers=workers))))
    assert stopped.value.code == 2
    assert capsys.readouterr().err == 'error: film.mp4: frame 3: is damaged\n'


@pytest.mark.parametrize('returned, code', [(None, 0), (0, 0), (1, 1)])
def test_what_a_command_returns_is_its_exit_code(returned, code):
    with pytest.raises(SystemExit) as stopped:
        exit_on_input_error(lambda: returned)
    assert stopped.value.code == code


def command(code, **options):
    program = f'from mmtube.errors import exit_on_input_error\ndef main():\n    {code}\nexit_on_input_error(main)'
    return subprocess.Popen([sys.executable, '-c', program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_a_reader_that_has_seen_enough_is_no_error():
    done = command('print("x" * 1_000_000)')
    done.stdout.read(10)
    done.stdout.close()
    assert done.stderr.read() == b'' and done.wait() == 141


def test_a_name_that_the_terminal_cannot_show_is_shown_as_far_as_it_can():
    done = command('print("caf\u00e9")', env={**os.environ, 'PYTHONIOENCODING': 'ascii'})
    assert done.communicate() == (b'caf\\xe9\n', b'') and done.returncode == 0
