"""Stages that build on one another, run by small commands of Python."""

import io
import sys
import time

import pytest
from rich.console import Console

from mmtube.apis.chain import Chain, Stage
from mmtube.errors import InputError


def write(path, text='x'):
    """A command that appends to a file."""
    return (sys.executable, '-c', f'open({str(path)!r}, "a").write({text!r})')


FAIL = (sys.executable, '-c', 'import sys; print("no such thing"); sys.exit(3)')


def run(stages, folder, **kwargs):
    out = io.StringIO()
    chain = Chain(stages, folder, **kwargs)
    return chain, chain.run(Console(file=out)), out.getvalue()


def test_stages_run_after_what_they_need_and_once(tmp_path):
    file = tmp_path / 'out.txt'
    stages = [
        Stage('a', (write(file, 'a'), write(file, 'b'))),
        Stage('b', (write(file, 'c'),), ('a',)),
        Stage('c', (write(file, 'd'),), ('b',)),
    ]
    chain, failed, _ = run(stages, tmp_path)
    assert failed == {}
    assert file.read_text() == 'abcd'
    assert set(chain.seconds()) == {'a', 'b', 'c'}
    assert run(stages, tmp_path)[1] == {}
    assert file.read_text() == 'abcd'  # nothing is done twice


def test_a_changed_command_is_run_again_and_what_follows_too(tmp_path):
    file = tmp_path / 'out.txt'

    def stages(text):
        other = Stage('other', (write(file, 'o'),))
        return [Stage('a', (write(file, text),)), other, Stage('b', (write(file, 'b'),), ('a',))]

    run(stages('1'), tmp_path, workers=1)
    run(stages('2'), tmp_path, workers=1)
    assert sorted(file.read_text()) == sorted('1ob' + '2b')


def test_what_does_not_build_on_a_failure_is_finished(tmp_path):
    file = tmp_path / 'out.txt'
    stages = [Stage('bad', (FAIL,)), Stage('after', (write(file, 'n'),), ('bad',)), Stage('good', (write(file, 'g'),))]
    chain, failed, shown = run(stages, tmp_path, workers=1)
    assert failed == {'bad': 'no such thing'}
    assert file.read_text() == 'g'
    assert 'failed' in shown
    assert 'left out' in shown
    assert 'no such thing' in chain.log('bad').read_text()
    # Mended, it goes on where it was.
    mended = [Stage('bad', (write(file, 'm'),)), *stages[1:]]
    assert run(mended, tmp_path)[1] == {}
    assert file.read_text() == 'gmn'


def test_a_folder_that_must_be_new_is_removed_before(tmp_path):
    folder = tmp_path / 'new'
    code = f'import os; os.mkdir({str(folder)!r}); open({str(folder / "a")!r}, "w").close(); os._exit({{}})'
    for exit_code, names in ((1, {'a'}), (0, set())):  # the second time the folder is there
        stage = Stage('a', ((sys.executable, '-c', code.format(exit_code)),), fresh=folder)
        assert set(run([stage], tmp_path)[1]) == names
        assert [path.name for path in folder.iterdir()] == ['a']


def test_two_run_side_by_side(tmp_path):
    first, second = tmp_path / '1', tmp_path / '2'

    def meet(mine, other):
        lines = [
            'import pathlib, time',
            f'pathlib.Path({str(mine)!r}).touch()',
            'for _ in range(300):',
            '    time.sleep(0.05)',
            f'    if pathlib.Path({str(other)!r}).exists():',
            '        raise SystemExit(0)',
            'raise SystemExit(1)',
        ]
        code = '\n'.join(lines)
        return ((sys.executable, '-c', code),)

    assert run([Stage('a', meet(first, second)), Stage('b', meet(second, first))], tmp_path / 'c', workers=2)[1] == {}


def test_an_interrupt_ends_the_commands(tmp_path, monkeypatch):
    chain = Chain([Stage('long', ((sys.executable, '-c', 'import time; time.sleep(60)'),))], tmp_path)
    started = time.monotonic()

    def interrupt(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr('mmtube.apis.chain.time.sleep', interrupt)
    with pytest.raises(KeyboardInterrupt):
        chain.run(Console(file=io.StringIO()))
    assert time.monotonic() - started < 30
    assert chain._running['long'].process.poll() is not None
    assert not (tmp_path / 'stages/long.json').exists()


def test_faults_are_told(tmp_path):
    with pytest.raises(ValueError, match="needs \\['b'\\]"):
        Chain([Stage('a', (), ('b',))], tmp_path)
    with pytest.raises(ValueError, match='stands twice'):
        Chain([Stage('a', ()), Stage('a', ())], tmp_path)
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match='file'):
        Chain([], tmp_path / 'file').run(Console(file=io.StringIO()))
    with pytest.raises(InputError, match='stage a: /no/program'):
        run([Stage('a', (('/no/program',),))], tmp_path)
