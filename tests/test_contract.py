"""Every registered component builds and documents itself; every config parses and builds."""

import importlib
import inspect
import pickle
import pkgutil
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

import mmtube
from mmtube.apis import build_stage, load_pipeline
from mmtube.apis.pipeline_config import STAGES
from mmtube.config import load_config
from mmtube.registry import DATA_SAMPLERS, DATASETS, HOOKS, LOOPS, METRICS, MODELS, TASK_UTILS, TRANSFORMS
from mmtube.testing import make_film

CONFIGS = Path(__file__).parents[1] / 'configs'
LEAVES = sorted(path for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts)
for module in pkgutil.walk_packages(mmtube.__path__, 'mmtube.'):
    importlib.import_module(module.name)
REGISTRIES = (MODELS, TASK_UTILS, DATASETS, TRANSFORMS, DATA_SAMPLERS, METRICS, HOOKS, LOOPS)
COMPONENTS = {
    name: (registry, cls)
    for registry in REGISTRIES
    for name, cls in registry.module_dict.items()
    if cls.__module__.startswith('mmtube.')  # not what other tests register
}


class Labelled:
    """What samplers ask of a data set."""

    def __len__(self):
        return 32

    def item_labels(self):
        return np.arange(33), self.identities()

    def identities(self):
        return np.repeat(np.arange(8), 4)


def act_truth(folder):
    """Write the smallest ground truth of MultiSports' form."""
    tube = np.array([[1.0, 0, 0, 9, 9]])
    films = dict(train_videos=[[]], test_videos=[['a']], nframes={'a': 1}, resolution={'a': (10, 10)})
    (folder / 'gt.pkl').write_bytes(pickle.dumps(dict(labels=['run'], gttubes={'a': {0: [tube]}}, **films)))
    return str(folder / 'gt.pkl')


# What a component needs that has no default. A new component without defaults must be added here.
PICODET = 'mmtube::person/picodet_s_coco_person.py'
NEEDED = {
    'PersonDetector': lambda folder: dict(model=PICODET),
    'BiFPN': lambda folder: dict(in_channels=[40, 112, 320], out_channels=64),
    'LCPAN': lambda folder: dict(in_channels=[96, 192, 384]),
    'EfficientDetHead': lambda folder: dict(
        Config.fromfile(CONFIGS / 'seal/person_efficientdet_d0.py').model.bbox_head
    ),
    'PicoHeadV2': lambda folder: dict(Config.fromfile(CONFIGS / 'person/picodet_s_coco_person.py').model.bbox_head),
    'FrameSource': lambda folder: dict(path=str(make_film(folder / 'film.mp4', num_frames=3))),
    **{
        name: lambda folder: dict(lazy_init=True)
        for name in (
            'SEALClips',
            'SEALFrames',
            'SEALTubes',
            'AVAStyle',
            'ActionTubes',
            'MARSSequences',
            'UntrimmedClips',
            'VideoFeatures',
        )
    },
    'MMDetTracker': lambda folder: dict(tracker=dict(type='mmdet.ByteTracker', motion=dict(type='KalmanFilter'))),
    'RepeatTransforms': lambda folder: dict(transforms=[]),
    'ClassBalancedSampler': lambda folder: dict(dataset=Labelled()),
    'PKSequenceSampler': lambda folder: dict(dataset=Labelled()),
    **{name: lambda folder: dict(ann_file='gt.json') for name in ('TrackingMetric', 'LinkingMetric')},
    'VideoMAP': lambda folder: dict(ann_file=act_truth(folder)),
    'VideoReID': lambda folder: dict(Config.fromfile(CONFIGS / 'seal_mini/reid.py').model),
    'CenterLoss': lambda folder: dict(num_classes=2, feature_dims=3),
    'ClassBalancedLoss': lambda folder: dict(counts=[5, 2]),
    'TubeletExtractor': lambda folder: dict(Config.fromfile(CONFIGS / 'features/slowfast_t.py').model),
    'FeatureStreams': lambda folder: dict(extractors=[dict(Config.fromfile(CONFIGS / 'features/tsp_t.py').model)] * 2),
    'FramesThenTime': lambda folder: dict(frames=dict(type='PPLCNet', out_stages=(4,)), in_channels=96),
    'TubeRoIHead': lambda folder: dict(roi_extractor=dict(type='RoIOverTime'), head=dict(type='ClipActionHead')),
    'ClipActionDetector': lambda folder: dict(Config.fromfile(CONFIGS / 'seal_mini/clips_baseline.py').model),
    'TSPRecognizer': lambda folder: dict(backbone=dict(type='mmtube.R2Plus1D34TSP')),
    # These need a runner.
    **dict.fromkeys(('StoredFeatureTrainLoop', 'TwoPassTestLoop', 'TwoPassValLoop')),
    'StreamStem': lambda folder: dict(dims=[3]),
    'FasterTAD': lambda folder: dict(stem=dict(dims=[3]), num_classes=2),
    'AnchorFreeLocalizer': lambda folder: dict(stem=dict(dims=[3]), num_classes=2),
    'JointLocalizer': lambda folder: dict(
        stem=dict(dims=[3]),
        atomic=dict(type='AnchorFreeLocalizer', num_classes=2),
        complex=dict(type='FasterTAD', num_classes=2),
    ),
    'TubeletActionDetector': None,  # needs a checkpoint; built in its own tests with a small one
    'ObjectDetector': None,  # needs a checkpoint of many classes; built in its own tests with a small one
    'ClipClassifier': None,  # needs a checkpoint of a few hundred megabytes; built in its own tests with a small one
    'RowClipClassifier': None,  # likewise
}


@pytest.mark.parametrize('name', sorted(COMPONENTS))
def test_component_builds(name, tmp_path):
    registry, cls = COMPONENTS[name]
    needed = NEEDED.get(name, lambda folder: {})
    if needed is None:
        pytest.skip('built in its own tests')
    built = registry.build({**needed(tmp_path), 'type': name})
    assert isinstance(built, cls)


@pytest.mark.parametrize('name', sorted(COMPONENTS))
def test_component_documents_every_argument_and_types_it(name):
    _, cls = COMPONENTS[name]
    doc = inspect.getdoc(cls) or ''
    for parameter in list(inspect.signature(cls.__init__).parameters.values())[1:]:
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        assert f'{parameter.name} (' in doc, f'{name} does not document {parameter.name}'
        inherited = not cls.__init__.__module__.startswith('mmtube.')  # MMEngine's loops are typed in part
        assert inherited or parameter.annotation is not parameter.empty, f'{name} does not type {parameter.name}'


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: str(path.relative_to(CONFIGS)))
def test_config_parses_and_builds(path, tmp_path):
    cfg = Config.fromfile(path)
    if 'model' in cfg:
        with DefaultScope.overwrite_default_scope(cfg.default_scope):
            model = MODELS.build(cfg.model)
        assert sum(parameter.numel() for parameter in model.parameters()) > 0
        return
    cfg = load_pipeline(str(path), required=('tracker',))
    for key in STAGES:
        if cfg.get(key) is not None:
            film = {'path': str(make_film(tmp_path / 'film.mp4', num_frames=3))} if key == 'frame_source' else {}
            assert build_stage(key, cfg[key], **film) is not None


@pytest.mark.parametrize('path', sorted(CONFIGS.glob('_base_/datasets/*.py')), ids=lambda path: path.stem)
def test_data_set_config_builds(path):
    cfg = Config.fromfile(path)
    with DefaultScope.overwrite_default_scope('mmtube'):
        for split in ('train', 'val', 'test'):
            if f'{split}_dataloader' in cfg:
                whole = cfg[f'{split}_dataloader'].dataset
                for part in whole.get('datasets', [whole]):
                    assert len(DATASETS.build({**part, 'lazy_init': True}).pipeline.transforms) > 1
        assert 'train_dataloader' in cfg


@pytest.mark.parametrize(
    'name',
    ['mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py', 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', PICODET],
)
def test_another_detector_is_one_config_line(name):
    cfg = load_pipeline('seal/tube_pipeline', {'detector.model': name})
    assert cfg.detector.model == name
    assert 'bbox_head' in load_config(name).model or 'roi_head' in load_config(name).model
