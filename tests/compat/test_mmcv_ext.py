import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import mmtube  # noqa: F401

ext = pytest.importorskip('mmcv._ext')
if getattr(ext, '__file__', None):
    pytest.skip('compiled mmcv is installed, nothing is stood in for', allow_module_level=True)

DETECTORS = (
    'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py',
    'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py',
    'mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py',
    'mmdet::yolox/yolox_tiny_8xb8-300e_coco.py',
)


def test_an_operator_that_is_not_carried_says_so_when_it_is_called():
    assert hasattr(ext, 'deform_conv_forward')
    with pytest.raises(RuntimeError, match=r'mmcv\._ext\.deform_conv_forward needs compiled mmcv.*pip install'):
        ext.deform_conv_forward(torch.zeros(1), offset=0)


def test_private_names_are_not_operators():
    assert not hasattr(ext, '_anything') and not hasattr(ext, '__path__')


def test_the_module_can_be_looked_for_without_importing_it():
    spec = importlib.util.find_spec('mmcv._ext')
    assert spec.name == 'mmcv._ext' and spec.submodule_search_locations is None
    assert importlib.util.find_spec('mmcv._other') is None


def test_the_environment_report_of_mmcv_works():
    from mmcv.ops import get_compiler_version, get_compiling_cuda_version

    assert 'mmcv-lite' in get_compiler_version() and get_compiling_cuda_version() == 'not available'


def test_compiled_mmcv_stays_untouched(tmp_path):
    package = tmp_path / 'mmcv'
    package.mkdir()
    (package / '__init__.py').touch()
    (package / '_ext.py').write_text('nms = "compiled"')
    code = (
        f'import sys; sys.path.insert(0, {str(tmp_path)!r}); import mmtube; import mmcv._ext as e; '
        'print(e.nms, hasattr(e, "softnms"), e.__file__)'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ['compiled', 'False', str(package / '_ext.py')]


@pytest.mark.parametrize('name', DETECTORS)
def test_detectors_run_on_the_cpu(name):
    from mmdet.registry import MODELS
    from mmdet.structures import DetDataSample
    from mmengine.hub import get_config
    from mmengine.registry import init_default_scope

    init_default_scope('mmdet')
    config = get_config(name).model
    config.backbone.init_cfg = None
    test_cfg = config.test_cfg.get('rcnn', config.test_cfg)
    test_cfg.score_thr = 0.0
    torch.manual_seed(0)
    model = MODELS.build(config).eval()
    sample = DetDataSample(metainfo={'img_shape': (64, 96), 'ori_shape': (64, 96), 'scale_factor': (1.0, 1.0)})
    with torch.no_grad():
        found = model.test_step({'inputs': [torch.zeros(3, 64, 96, dtype=torch.uint8)], 'data_samples': [sample]})
    assert len(found[0].pred_instances) > 0


def test_the_parity_script_says_that_there_is_nothing_to_compare_with():
    script = Path(__file__).parents[2] / 'tools' / 'parity_ops.py'
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1 and not done.stdout
