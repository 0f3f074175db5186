"""Child registries of MMEngine's roots, scope ``mmtube``.

A component of mmdet or mmaction2 is named with its scope in a config (``mmdet.CrossEntropyLoss``,
``mmaction.SlowFast``); MMEngine then looks it up in that library's registry.
"""

from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import TASK_UTILS as MMENGINE_TASK_UTILS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import Registry

# Networks: backbones, necks, heads, and the stages that wrap a network.
_NETWORKS = [f'mmtube.models.{room}' for room in ('backbones', 'necks', 'heads', 'detectors', 'roi_heads')]
MODELS = Registry('model', parent=MMENGINE_MODELS, scope='mmtube', locations=_NETWORKS)
# The parts of the pipeline that learn nothing: selection, tracking, linking, shot changes.
TASK_UTILS = Registry(
    'task util', parent=MMENGINE_TASK_UTILS, scope='mmtube', locations=['mmtube.models.trackers']
)
DATASETS = Registry('dataset', parent=MMENGINE_DATASETS, scope='mmtube', locations=['mmtube.datasets'])
TRANSFORMS = Registry('transform', parent=MMENGINE_TRANSFORMS, scope='mmtube', locations=['mmtube.datasets'])
METRICS = Registry('metric', parent=MMENGINE_METRICS, scope='mmtube', locations=['mmtube.evaluation'])
HOOKS = Registry('hook', parent=MMENGINE_HOOKS, scope='mmtube', locations=['mmtube.engine'])
