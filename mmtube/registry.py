"""Child registries of MMEngine's roots, scope ``mmtube``.

A component of mmdet or mmaction2 is named with its scope in a config (``mmdet.CrossEntropyLoss``,
``mmaction.SlowFast``); MMEngine then looks it up in that library's registry.
"""

import mmengine.registry as roots
from mmengine.registry import Registry


def _child(root: Registry, *rooms: str) -> Registry:
    """Make the child of a root registry; its rooms are imported when a component is first asked for."""
    # With no location at all MMEngine looks for mmtube.utils and warns.
    locations = [f'mmtube.{room}' for room in rooms or ('registry',)]
    return Registry(root.name, parent=root, scope='mmtube', locations=locations)


# Networks: backbones, necks, heads, and the stages that wrap a network.
_ROOMS = ('backbones', 'necks', 'heads', 'losses', 'detectors', 'roi_heads', 'recognizers', 'localizers')
_NETWORKS = [f'models.{room}' for room in _ROOMS]
MODELS = _child(roots.MODELS, *_NETWORKS, 'models.reid.video_reid', 'models.tubelet_features')
# The parts of the pipeline that need no PyTorch to be imported: selection, appearance, tracking, linking, shot changes.
TASK_UTILS = _child(roots.TASK_UTILS, 'models.trackers', 'models.reid.appearance')
_SETS = (
    'frame_source',
    'action_tubes',
    'ava_style',
    'mars',
    'seal_clips',
    'seal_frames',
    'seal_tubes',
    'untrimmed_clips',
    'video_features',
)
DATASETS = _child(roots.DATASETS, *(f'datasets.{name}' for name in _SETS))
TRANSFORMS = _child(roots.TRANSFORMS, 'datasets.transforms')
# Orders of the items of a data set.
DATA_SAMPLERS = _child(roots.DATA_SAMPLERS, 'datasets.samplers')
# How items become a batch.
FUNCTIONS = _child(roots.FUNCTIONS, 'datasets.collate')
METRICS = _child(roots.METRICS, 'evaluation.metrics')
HOOKS = _child(roots.HOOKS, 'engine.hooks')
LOOPS = _child(roots.LOOPS, 'engine.loops')
OPTIM_WRAPPERS = _child(roots.OPTIM_WRAPPERS, 'engine.optim')

# Nothing of ours lives in these yet; without a child MMEngine prints a warning per lookup from our scope.
RUNNERS = _child(roots.RUNNERS)
RUNNER_CONSTRUCTORS = _child(roots.RUNNER_CONSTRUCTORS)
MODEL_WRAPPERS = _child(roots.MODEL_WRAPPERS)
WEIGHT_INITIALIZERS = _child(roots.WEIGHT_INITIALIZERS)
OPTIMIZERS = _child(roots.OPTIMIZERS)
OPTIM_WRAPPER_CONSTRUCTORS = _child(roots.OPTIM_WRAPPER_CONSTRUCTORS)
PARAM_SCHEDULERS = _child(roots.PARAM_SCHEDULERS)
EVALUATOR = _child(roots.EVALUATOR)
VISUALIZERS = _child(roots.VISUALIZERS)
VISBACKENDS = _child(roots.VISBACKENDS)
LOG_PROCESSORS = _child(roots.LOG_PROCESSORS)
INFERENCERS = _child(roots.INFERENCERS)
