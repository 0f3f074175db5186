"""Two ranks with gloo: equal memories and weights, a rank with nobody, and the tests of one rank."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_clips import model_cfg, quiet, runner_of

EPOCHS = 2


def plain(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def run(folder, rank, ranks):
    """Train with a memory, test, and train on stored features; return what each rank has then."""
    torch.manual_seed(3)
    options = {}
    if ranks > 1:
        wrapper = dict(type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False)
        options = dict(launcher='pytorch', cfg=dict(model_wrapper_cfg=wrapper))
    work = Path(folder) / f'{ranks}'
    one_each = dict(batch_size=1)
    weights = torch.load(Path(folder) / 'weights.pth', weights_only=True)
    result = {}

    def runner(name, *args, **more):
        made = runner_of(work / name, *args, name=f'{name}{rank}', **more, **options)
        model = made.model.module if ranks > 1 else made.model
        model.load_state_dict(weights)
        return made, model

    train = dict(type='EpochBasedTrainLoop', max_epochs=EPOCHS, val_interval=9)
    trained, model = runner('train', train, hooks=[dict(type='MemoryPoolHook')], train=one_each)
    trained.train()
    result['pool'], result['weights'] = model.roi_head.memory.state(), plain(model)

    tested, _ = runner('test')
    tested.test()
    result['scores'] = getattr(tested.test_loop.evaluator.metrics[0], 'last', None)

    loop = dict(type='StoredFeatureTrainLoop', max_epochs=EPOCHS, batch_size=1, val_interval=EPOCHS)
    loop['cache'] = str(work / 'features.pth')
    stored, model = runner('stored', loop)
    stored.train()
    result['bank'] = stored.train_loop._banks[0].state()
    result['stored_pool'], result['stored_weights'] = model.roi_head.memory.state(), plain(model)
    return result


WORKER = """
import sys
sys.path.insert(0, {here!r})
import torch, torch.distributed as dist
from mmengine.config import Config
from mmengine.runner import Runner
from test_memory_on_two_ranks import run
folder, rank = sys.argv[1], int(sys.argv[2])
Runner._log_env = lambda self, env_cfg: None
Runner.dump_config = lambda self: None
Config.pretty_text = ''
dist.init_process_group('gloo', init_method=f'file://{{folder}}/meet', rank=rank, world_size=2)
torch.save(run(folder, rank, 2), f'{{folder}}/rank{{rank}}.pth')
dist.barrier()  # a rank that leaves while the other still talks to it would take that one down
dist.destroy_process_group()
"""


def alike(one, other, path='', atol=0.0):
    assert type(one) is type(other), path
    if isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for key in one:
            alike(one[key], other[key], f'{path}/{key}', atol)
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), path
        for number, pair in enumerate(zip(one, other)):
            alike(*pair, f'{path}/{number}', atol)
    elif torch.is_tensor(one) and atol:
        torch.testing.assert_close(one, other, rtol=0, atol=atol)
    else:
        assert torch.equal(one, other) if torch.is_tensor(one) else one == other, path


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs a POSIX system')
def test_two_ranks_share_one_memory(tmp_path, monkeypatch):
    quiet(monkeypatch)
    torch.manual_seed(0)
    torch.save(plain(runner_of(tmp_path / 'begin', model=model_cfg()).model), tmp_path / 'weights.pth')
    code = WORKER.format(here=str(Path(__file__).parent))
    paths = os.pathsep.join(filter(None, sys.path))
    processes = [
        subprocess.Popen(
            [sys.executable, '-W', 'ignore', '-c', code, str(tmp_path), str(rank)],
            env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': paths, 'LOCAL_RANK': str(rank)},
        )
        for rank in range(2)
    ]
    alone = run(tmp_path, 0, 1)
    try:
        assert [process.wait(timeout=180) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
    first, second = (torch.load(tmp_path / f'rank{rank}.pth', weights_only=True) for rank in range(2))

    # Trained with one clip on each rank. The clip with nobody was alone on one of them: had a parameter no gradient
    # there, the next step would have been refused.
    assert sum(map(len, first['pool']['films'].values())) == 9
    alike(first['pool'], second['pool'])
    trained = {name for name in first['weights'] if 'running' not in name and 'num_batches' not in name}
    for name in trained:
        assert torch.equal(first['weights'][name], second['weights'][name]), name
    assert any(not torch.equal(first['weights'][name], alone['weights'][name]) for name in trained)

    alike(first['scores'], alone['scores'], atol=1e-6)

    alike(first['bank'], second['bank'])
    alike(first['bank'], alone['bank'], atol=1e-6)
    alike(first['stored_pool'], second['stored_pool'])
    alike(first['stored_weights'], second['stored_weights'])
