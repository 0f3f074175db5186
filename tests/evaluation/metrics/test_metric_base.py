import json
import os
import subprocess
import sys

import pytest

from mmtube.evaluation.metrics.base import EvaluationMetric
from mmtube.evaluation.result import EvaluationResult, read_document


class Mean(EvaluationMetric):
    default_prefix = 'mean'

    def record(self, sample):
        return sample['value']

    def evaluate_records(self, records):
        return EvaluationResult('mean', 'mean of values', {'value': sum(records) / len(records), 'n': len(records)})


def test_every_sample_is_one_record_and_all_are_scored(tmp_path):
    metric = Mean(out_file=str(tmp_path / 'out.json'))
    metric.process(None, [{'value': 1.0}, {'value': 0.0}])
    metric.process(None, [{'value': 0.5}])
    assert metric.evaluate(3) == {'mean/value': 0.5, 'mean/n': 3}
    assert metric.result.protocol == 'mean'
    assert read_document(tmp_path / 'out.json')['metrics'] == {'value': 0.5, 'n': 3}


WORKER = """
import json, sys
import torch.distributed as dist
sys.path.insert(0, {folder!r})
from test_metric_base import Mean
rank = int(sys.argv[1])
dist.init_process_group('gloo', init_method='file://' + sys.argv[2], rank=rank, world_size=2)
metric = Mean()
# Three samples on two ranks: the sampler repeats the first one so that both have two.
metric.process(None, [{{'value': value}} for value in ([1.0, 0.5], [0.0, 1.0])[rank]])
print(json.dumps(metric.evaluate(3)), flush=True)
dist.barrier()
dist.destroy_process_group()
"""


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs a POSIX system')
def test_two_ranks_score_what_one_would(tmp_path):
    code = WORKER.format(folder=os.path.dirname(__file__))
    ranks = [
        subprocess.Popen(
            [sys.executable, '-W', 'ignore', '-c', code, str(rank), str(tmp_path / 'meet')], stdout=subprocess.PIPE
        )
        for rank in range(2)
    ]
    printed = [rank.communicate(timeout=120)[0].decode().strip().splitlines()[-1] for rank in ranks]
    assert [json.loads(line) for line in printed] == [{'mean/value': 0.5, 'mean/n': 3}] * 2
