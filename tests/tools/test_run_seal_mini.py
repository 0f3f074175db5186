"""The chain on SEAL-mini: its stages fit together; what they do is tested with each tool."""

import runpy
from pathlib import Path

import pytest

from mmtube.apis.chain import Chain
from mmtube.engine.cli import build_config, make_parser

TOOL = Path(__file__).parents[2] / 'tools/run_seal_mini.py'


@pytest.fixture(params=[False, True], ids=['default', 'smoke'])
def stages(request, tmp_path):
    return runpy.run_path(str(TOOL))['SealMiniChain'](tmp_path / 'data', tmp_path / 'out', request.param).stages()


def test_stages_need_what_comes_before_and_commands_are_tools(stages, tmp_path):
    Chain(stages, tmp_path)  # refuses needs that are not met
    for stage in stages:
        assert stage.commands
        for command in stage.commands:
            assert Path(command[1]).is_file(), command


def texts(value):
    """All strings of a config."""
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ():
        yield from texts(part)


def test_trainings_find_the_data_and_leave_the_checkpoint_that_others_take(stages, tmp_path):
    commands = [command for stage in stages for command in stage.commands]
    trainings = [command for command in commands if command[1].endswith('train.py')]
    assert len(trainings) == 7
    taken = {word.rpartition('=')[2] for command in commands for word in command if '.pth' in word}
    for command in trainings:
        words = [word for word in command[2:] if word != '--resume']
        cfg = build_config(make_parser('').parse_args(words))
        assert not [text for text in texts(cfg.to_dict()) if text.startswith('data/seal_mini')]
        taken.discard(str(Path(cfg.work_dir) / f'epoch_{cfg.train_cfg.max_epochs}.pth'))
        assert cfg.default_hooks.checkpoint.interval == 1
    assert not taken  # every checkpoint that is used is made
