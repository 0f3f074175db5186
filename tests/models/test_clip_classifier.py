import copy
import hashlib
import io
import subprocess
import sys
import urllib.error
import urllib.request
import weakref
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmtube.errors import InputError
from mmtube.models.roi_heads.action_config import (
    AVA_LABEL_MAP,
    SLOWFAST_AVA,
    name_columns,
    read_clip_format,
    read_config,
    read_label_map,
    resolve_checkpoint,
)
from mmtube.models.roi_heads.clip_classifier import ClipClassifier
from mmtube.models.roi_heads.clip_windows import boxes_at, iter_windows
from mmtube.registry import MODELS
from mmtube.structures import Tube, VideoInfo, VideoResult
from mmtube.structures.seal import LabelMap, write_label_map

SHARED_LABELS = Path(__file__).parents[2].parent / 'shared' / 'data' / 'labels'
SIZE = (80, 60)  # width and height of the test films
CLIP_LEN, INTERVAL = 8, 3  # offsets of -12, -9, ..., 9 frames


@dataclass
class FakeFrame:
    index: int
    time_s: float
    image: np.ndarray


def film(num_frames=90, fps=30.0, seed=0):
    """Frames of soft noise that differ from one another."""
    rng = np.random.default_rng(seed)
    for index in range(num_frames):
        small = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        yield FakeFrame(index, index / fps, small.repeat(10, axis=0).repeat(10, axis=1))


def tube(track_id, first, last, box=(10.0, 10, 40, 50), fps=30.0, speed=0.1):
    inds = np.arange(first, last)
    boxes = np.float32(box) + speed * inds[:, None].astype(np.float32) * np.float32([1, 0, 1, 0])
    return Tube(track_id, inds, inds / fps, boxes)


def pathway(base_channels, lateral, **kwargs):
    return {
        'type': 'resnet3d', 'depth': 18, 'pretrained': None, 'lateral': lateral, 'base_channels': base_channels,
        'conv1_stride_t': 1, 'pool1_stride_t': 1, 'spatial_strides': (1, 2, 2, 1), **kwargs,
    }  # fmt: skip


def tiny_config(num_classes=81, background_class=True, multilabel=True):
    """A SlowFast network of MMAction2 with few channels."""
    backbone = {
        'type': 'mmaction.ResNet3dSlowFast',
        'pretrained': None,
        'resample_rate': 4,
        'speed_ratio': 4,
        'channel_ratio': 8,
        'slow_pathway': pathway(
            16, True, conv1_kernel=(1, 7, 7), dilations=(1, 1, 1, 1), inflate=(0, 0, 1, 1), fusion_kernel=5
        ),
        'fast_pathway': pathway(2, False, conv1_kernel=(5, 7, 7)),
    }
    head = {
        'type': 'BBoxHeadAVA', 'background_class': background_class, 'in_channels': 144, 'num_classes': num_classes,
        'multilabel': multilabel, 'topk': (1,), 'dropout_ratio': 0.5,
    }  # fmt: skip
    model = {
        'type': 'FastRCNN',
        '_scope_': 'mmdet',
        'backbone': backbone,
        'roi_head': {
            'type': 'AVARoIHead',
            'bbox_roi_extractor': {
                'type': 'SingleRoIExtractor3D', 'roi_layer_type': 'RoIAlign', 'output_size': 8,
                'with_temporal_pool': True,
            },
            'bbox_head': head,
        },
        'data_preprocessor': {
            'type': 'mmaction.ActionDataPreprocessor', 'mean': [123.675, 116.28, 103.53],
            'std': [58.395, 57.12, 57.375], 'format_shape': 'NCTHW',
        },
        'train_cfg': None,
        'test_cfg': {'rcnn': None},
    }  # fmt: skip
    pipeline = [
        {'type': 'SampleAVAFrames', 'clip_len': CLIP_LEN, 'frame_interval': INTERVAL, 'test_mode': True},
        {'type': 'RawFrameDecode', 'io_backend': 'disk'},
        {'type': 'Resize', 'scale': (-1, 48)},
        {'type': 'FormatShape', 'input_format': 'NCTHW', 'collapse': True},
        {'type': 'PackActionInputs'},
    ]
    return {'default_scope': 'mmaction', 'model': model, 'val_dataloader': {'dataset': {'pipeline': pipeline}}}


def reference_model(config):
    """The model as MMAction2 builds it, with random weights that make the scores of people and times differ."""
    import mmdet.models  # noqa: F401
    from mmengine.registry import MODELS as ROOT
    from mmengine.registry import DefaultScope

    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmaction'):
        model = ROOT.build(Config(copy.deepcopy(config)).model)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    torch.nn.init.normal_(model.roi_head.bbox_head.fc_cls.weight, std=0.01)
    return model.eval()


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    file = tmp_path_factory.mktemp('weights') / 'tiny.pth'
    torch.save({'state_dict': reference_model(tiny_config()).state_dict(), 'meta': {'epoch': 1}}, file)
    return str(file)


@pytest.fixture(scope='module')
def classifier(checkpoint):
    return ClipClassifier(tiny_config(), checkpoint, batch_size=2)


def reference_scores(config, frame_inds, boxes_px):
    """Scores of one clip by MMAction2's own transforms and test_step."""
    from mmaction.datasets.transforms import FormatShape, PackActionInputs, Resize

    images = [frame.image for frame in film()]
    results = {
        'imgs': [images[index][..., ::-1] for index in frame_inds], 'img_shape': (SIZE[1], SIZE[0]),
        'modality': 'RGB', 'num_clips': 1, 'clip_len': CLIP_LEN, 'proposals': np.float32(boxes_px),
        'gt_bboxes': np.float32(boxes_px), 'gt_labels': np.zeros((len(boxes_px), 81), np.float32),
    }  # fmt: skip
    for step in (Resize((-1, 48)), FormatShape('NCTHW', collapse=True), PackActionInputs()):
        results = step(results)
    with torch.no_grad():
        found = reference_model(config).test_step(
            {'inputs': [results['inputs']], 'data_samples': [results['data_samples']]}
        )
    return found[0].pred_instances.scores.numpy()


def test_scores_are_those_of_mmaction(classifier):
    people = [tube(1, 0, 90), tube(2, 25, 75, box=(30.0, 5, 78, 55), speed=-0.05)]
    first, second = classifier.classify(film(), people, SIZE)
    assert first.clip_times_s.tolist() == [0.0, 1.0, 2.0, 3.0] and second.clip_times_s.tolist() == [1.0, 2.0]
    inds = 60 + np.arange(-12, 12, 3)  # around the key frame of 2 s
    expected = reference_scores(tiny_config(), inds, [people[0].boxes_px[60], people[1].boxes_px[60 - 25]])
    assert expected.shape == (2, 81) and np.ptp(expected, axis=0).max() > 1e-2
    assert np.percentile(expected, 10) > 0.01 and np.percentile(expected, 90) < 0.99  # not saturated
    np.testing.assert_allclose(first.clip_scores[2], expected[0, 1:], atol=1e-5)
    np.testing.assert_allclose(second.clip_scores[1], expected[1, 1:], atol=1e-5)


def test_a_window_is_held_at_the_ends_of_the_film(classifier):
    found = classifier.classify(film(), [tube(1, 0, 90)], SIZE)[0]
    expected = reference_scores(tiny_config(), [0, 0, 0, 0, 0, 3, 6, 9], [tube(1, 0, 1).boxes_px[0]])
    np.testing.assert_allclose(found.clip_scores[0], expected[0, 1:], atol=1e-5)


def test_a_window_is_cut_in_time_not_in_frame_numbers(classifier):
    # Every frame of 30 fps comes twice at 60 fps: the same film, the same scores.
    doubled = (FakeFrame(2 * f.index + k, f.time_s + k / 60, f.image) for f in film() for k in (0, 1))
    slow = classifier.classify(film(), [tube(1, 0, 90)], SIZE)[0]
    fast = classifier.classify(doubled, [tube(1, 0, 90)], SIZE)[0]
    np.testing.assert_array_equal(fast.clip_scores[1:3], slow.clip_scores[1:3])


@pytest.mark.parametrize('batch_size', [1, 3, 8])
def test_the_batch_size_does_not_change_the_scores(classifier, checkpoint, batch_size):
    people = [tube(1, 0, 90), tube(2, 25, 75, box=(30.0, 5, 78, 55))]
    other = ClipClassifier(tiny_config(), checkpoint, batch_size=batch_size)
    for mine, theirs in zip(classifier.classify(film(), people, SIZE), other.classify(film(), people, SIZE)):
        np.testing.assert_array_equal(mine.clip_times_s, theirs.clip_times_s)
        np.testing.assert_allclose(mine.clip_scores, theirs.clip_scores, atol=1e-5)


def test_the_stride_sets_the_key_times(checkpoint):
    found = ClipClassifier(tiny_config(), checkpoint, stride_s=0.5).classify(film(60), [tube(1, 20, 60)], SIZE)[0]
    assert found.clip_times_s.tolist() == [0.5, 1.0, 1.5, 2.0]


def test_everything_else_of_a_tube_stays(classifier):
    given = replace(tube(7, 0, 40), embedding=np.float32([1, 0]))
    found = classifier.classify(film(40), [given], SIZE)[0]
    assert found.track_id == 7 and len(found.clip_times_s) == 2 and len(given.clip_times_s) == 0
    np.testing.assert_array_equal(found.boxes_px, given.boxes_px)
    np.testing.assert_array_equal(found.embedding, given.embedding)
    assert found.clip_scores.dtype == np.float32 and ((found.clip_scores > 0) & (found.clip_scores < 1)).all()


def test_no_tubes_need_no_frame(classifier):
    assert classifier.classify(iter(()), [], SIZE) == []


def test_a_film_without_frames_and_a_tube_without_boxes_have_no_clips(classifier):
    empty = Tube(2, [], [], np.zeros((0, 4)))
    found = classifier.classify(iter(()), [tube(1, 0, 30), empty], SIZE)
    assert [one.clip_scores.shape for one in found] == [(0, 80), (0, 80)]


def test_a_film_shorter_than_a_window_is_classified(classifier):
    found = classifier.classify(film(2), [tube(1, 0, 2)], SIZE)[0]
    assert found.clip_times_s.tolist() == [0.0]


def test_a_short_tube_is_in_the_clip_that_it_lies_at_and_else_in_none(classifier):
    at_key, between = tube(1, 29, 32), tube(2, 43, 46)  # 0.1 s around 1.0 s and around 1.47 s
    found = classifier.classify(film(), [at_key, between], SIZE)
    assert [one.clip_times_s.tolist() for one in found] == [[1.0], []]


def test_a_box_is_cut_at_the_frame_and_takes_no_part_outside_of_it(classifier):
    partly, outside = tube(1, 0, 30, box=(-20.0, -10, 30, 70), speed=0), tube(2, 0, 30, box=(90.0, 0, 99, 9), speed=0)
    inside = tube(3, 0, 30, box=(0.0, 0, 30, 60), speed=0)
    partly, outside, inside = classifier.classify(film(30), [partly, outside, inside], SIZE)
    np.testing.assert_allclose(partly.clip_scores, inside.clip_scores, atol=1e-6)
    assert len(outside.clip_times_s) == 0


def test_a_head_without_background_class_keeps_all_columns(tmp_path):
    config = tiny_config(num_classes=5, background_class=False, multilabel=False)
    torch.save(reference_model(config).state_dict(), tmp_path / 'five.pth')
    five = ClipClassifier(config, str(tmp_path / 'five.pth'), label_map=list('abcde'))
    scores = five.classify(film(30), [tube(1, 0, 30)], SIZE)[0].clip_scores
    assert scores.shape == (2, 5) and five.label_map == list('abcde')
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)  # softmax


def test_it_is_built_by_name_and_says_what_is_wrong(checkpoint, tmp_path):
    assert isinstance(MODELS.build({'type': 'ClipClassifier', 'model': tiny_config(), 'checkpoint': checkpoint}),
                      ClipClassifier)  # fmt: skip
    with pytest.raises(ValueError, match='must be positive'):
        ClipClassifier(tiny_config(), checkpoint, stride_s=0)
    with pytest.raises(InputError, match='another shape'):
        ClipClassifier(tiny_config(num_classes=9), checkpoint)
    torch.save({'other.weight': torch.zeros(3)}, tmp_path / 'other.pth')
    with pytest.raises(InputError, match='another model'):
        ClipClassifier(tiny_config(), str(tmp_path / 'other.pth'))
    with pytest.raises(InputError, match='device no-such-device'):
        ClipClassifier(tiny_config(), checkpoint, device='no-such-device')
    recognizer = tiny_config()
    recognizer['val_dataloader']['dataset']['pipeline'][0]['type'] = 'SampleFrames'
    with pytest.raises(InputError, match='SampleFrames is not known'):
        ClipClassifier(recognizer, checkpoint)


def test_looking_for_weights_imports_neither_mmdet_nor_mmaction():
    code = (
        'import sys; from mmtube.models.roi_heads.action_config import resolve_checkpoint; '
        'print([name for name in ("mmdet", "mmaction") if name in sys.modules])'
    )
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'


def test_the_registry_finds_it_without_an_import():
    code = 'from mmtube.registry import MODELS; print(MODELS.get("ClipClassifier").__name__)'
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'ClipClassifier'


# Where a person is at a time.


def test_boxes_are_interpolated_over_short_gaps_and_else_taken_from_the_nearest():
    one = Tube(1, [0, 1, 2], [0.0, 0.4, 2.0], [[0, 0, 4, 8], [4, 0, 8, 8], [40, 0, 44, 8]])
    boxes, known = boxes_at(one, np.array([-0.3, -0.2, 0.1, 0.4, 0.6, 1.2, 1.8, 2.2, 2.3]), SIZE)
    assert known.tolist() == [False, True, True, True, True, False, True, True, False]
    assert boxes[known, 0].tolist() == [0, 1, 4, 4, 40, 40] and (boxes[~known] == 0).all()


def test_boxes_are_cut_at_the_frame_and_one_outside_is_none():
    one = Tube(1, [0, 1], [0.0, 1.0], [[-9, 50, 20, 70], [80, 0, 90, 8]])
    boxes, known = boxes_at(one, np.array([0.0, 1.0]), SIZE)
    assert boxes[0].tolist() == [0, 50, 20, 60] and known.tolist() == [True, False]


# Windows of a stream.


def windows(times_s, keys_s, offsets_s):
    frames = (FakeFrame(i, t, np.array([i])) for i, t in enumerate(times_s))
    return [w[:, 0].tolist() for w in iter_windows(frames, np.array(keys_s), np.array(offsets_s), lambda image: image)]


def test_a_window_has_the_frames_nearest_in_time():
    times_s = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert windows(times_s, [0.3, 0.5], [-0.12, 0.0, 0.12]) == [[2, 3, 4], [4, 5, 6]]
    assert windows([0.0, 0.9, 1.1], [1.0], [-0.6, -0.4, 0.02]) == [[0, 1, 2]]  # the first lies before the window


def test_a_window_beyond_the_film_has_its_last_frame():
    assert windows([0.0, 0.1], [0.1, 5.0], [-0.1, 0.1]) == [[0, 1], [1, 1]]


def test_only_the_frames_of_one_window_are_held_and_each_is_prepared_once():
    alive, peak, prepared = weakref.WeakSet(), [], []

    class Image(np.ndarray):
        """An array that can be referred to weakly."""

        __hash__ = object.__hash__

    def prepare(image):
        prepared.append(int(image[0]))
        kept = image.copy().view(Image)
        alive.add(kept)
        peak.append(len(alive))
        return kept

    frames = (FakeFrame(i, i / 10, np.array([i])) for i in range(1000))
    keys = np.concatenate([np.arange(2, 20), [60, 90]]).astype(float)
    found = list(iter_windows(frames, keys, np.array([-1.0, 0.0, 0.9]), prepare))
    assert len(found) == len(keys)
    assert max(peak) <= 22  # 20 frames of 1.9 s, one before them and the new one
    assert len(prepared) == len(set(prepared)) < 300  # of 1000: between 21 s and 59 s nothing is prepared


# Labels.


def test_a_column_has_the_name_of_its_ava_id(classifier):
    names = classifier.label_map
    assert len(names) == 80
    result = VideoResult(VideoInfo('film.mp4', *SIZE, 30.0, 90, 3.0), label_maps={'clip': names})
    assert result.label_name('clip', 0) == 'bend/bow (at the waist)'  # ID 1 of AVA
    assert result.label_name('clip', 11) == 'stand'  # ID 12
    assert result.label_name('clip', 79) == 'watch (a person)'  # ID 80


def test_a_higher_logit_of_an_ava_id_raises_the_column_of_its_name(tmp_path):
    model = reference_model(tiny_config())
    with torch.no_grad():
        model.roi_head.bbox_head.fc_cls.bias[12] += 100  # "stand"
    torch.save(model.state_dict(), tmp_path / 'standing.pth')
    standing = ClipClassifier(tiny_config(), str(tmp_path / 'standing.pth'))
    scores = standing.classify(film(30), [tube(1, 0, 30)], SIZE)[0].clip_scores
    assert standing.label_map[scores[0].argmax()] == 'stand'


def test_names_come_from_the_argument_the_checkpoint_the_config_or_ava(tmp_path):
    (tmp_path / 'two.txt').write_text('# source\n1: jump\n3: sit: down\n')
    (tmp_path / 'list.pbtxt').write_text('item {\n  name: "run"\n  id: 2\n}\n')
    config = Config({'model': {}})
    with_file = Config({'val_dataloader': {'dataset': {'label_file': str(tmp_path / 'list.pbtxt')}}})
    chosen = Config(
        {'val_dataloader': {'dataset': {'custom_classes': [12, 80], 'label_file': 'ava_action_list.pbtxt'}}}
    )
    meta = {'label_map': ['a', 'b', 'c']}
    assert name_columns(config, 4, True, tmp_path / 'two.txt', meta) == ['jump', 'class 2', 'sit: down']
    assert name_columns(config, 4, True, ['x', 'y', 'z'], meta) == ['x', 'y', 'z']
    assert name_columns(with_file, 4, True, None, meta) == ['a', 'b', 'c']
    assert name_columns(with_file, 4, True) == ['class 1', 'run', 'class 3']
    assert name_columns(chosen, 3, True) == ['stand', 'watch (a person)']
    assert name_columns(config, 4, True) == name_columns(config, 81, False) == []
    trained = {'dataset_meta': {'classes': ('p', 'q', 'r')}}
    assert name_columns(with_file, 4, True, None, trained) == ['p', 'q', 'r']
    assert name_columns(config, 3, False, None, trained) == ['p', 'q', 'r']
    assert name_columns(config, 2, False, None, trained) == []  # of other classes
    write_label_map(LabelMap('atomic', ('run', 'walk')), tmp_path / 'map.json')
    assert name_columns(config, 2, False, tmp_path / 'map.json', trained) == ['run', 'walk']
    assert name_columns(config, 3, True, str(tmp_path / 'map.json')) == ['run', 'walk']
    with pytest.raises(InputError, match='2 names, the action model has 3 classes'):
        name_columns(config, 4, True, ['x', 'y'])


@pytest.mark.parametrize(('text', 'cause'), [('1 run', 'line 1'), ('1: a\n1: b', 'line 2'), ('# nothing', 'no class')])
def test_a_label_file_that_is_none_is_refused(tmp_path, text, cause):
    (tmp_path / 'labels.txt').write_text(text)
    with pytest.raises(InputError, match=cause):
        read_label_map(tmp_path / 'labels.txt')


def test_the_shipped_names_are_those_of_the_published_list():
    if not SHARED_LABELS.is_dir():
        pytest.skip('the shared data are not here')
    published, shipped = read_label_map(SHARED_LABELS / 'ava.txt'), read_label_map(AVA_LABEL_MAP)
    assert sorted(shipped) == list(range(1, 81))
    assert published == {label_id: shipped[label_id] for label_id in published}


# Config and weights, without building anything.


def test_the_clip_format_is_that_of_the_zoo_config():
    fmt = read_clip_format(read_config(SLOWFAST_AVA), 'zoo')
    assert (fmt.clip_len, fmt.frame_interval, fmt.interpolation) == (32, 2, 'bilinear')
    assert fmt.resized((1280, 720)) == (455, 256) and fmt.resized((360, 640)) == (256, 455)
    offsets_s = fmt.offsets_s(30.0)
    assert offsets_s[[0, 16, 31]].tolist() == pytest.approx([-32 / 30, 0, 1])


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    return tmp_path / 'checkpoints'


def refuse(*args, **kwargs):
    raise urllib.error.URLError('no route to host')


def test_a_missing_published_checkpoint_gives_one_line_that_says_what_to_do(hub, monkeypatch):
    monkeypatch.setattr(urllib.request, 'urlopen', refuse)
    with pytest.raises(InputError) as caught:
        resolve_checkpoint(SLOWFAST_AVA)
    message = str(caught.value)
    assert len(message.splitlines()) == 1 and 'no route to host' in message and '--actions-checkpoint FILE' in message
    assert 'slowfast_kinetics400-pretrained-r50_8xb8-8x8x1-20e_ava21-rgb_20220906-39133ec7.pth' in message
    assert str(hub) in message and not list(hub.glob('*.pth'))


def test_a_published_checkpoint_in_the_cache_is_used_without_the_net(hub, monkeypatch):
    monkeypatch.setattr(urllib.request, 'urlopen', refuse)
    file = hub / 'slowfast_kinetics400-pretrained-r50_8xb8-8x8x1-20e_ava21-rgb_20220906-39133ec7.pth'
    hub.mkdir()
    file.touch()
    assert resolve_checkpoint(SLOWFAST_AVA) == str(file)


def test_a_download_is_kept_whole_or_not_at_all(hub, monkeypatch):
    monkeypatch.setattr(urllib.request, 'urlopen', lambda *args, **kwargs: io.BytesIO(b'weights'))
    with pytest.raises(InputError, match='arrived damaged'):
        resolve_checkpoint(checkpoint='https://example.org/net-00000000.pth')
    assert not list(hub.iterdir())
    digits = hashlib.sha256(b'weights').hexdigest()[:8]
    file = resolve_checkpoint(checkpoint=f'https://example.org/net-{digits}.pth')
    assert Path(file).read_bytes() == b'weights'


def test_a_checkpoint_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r'nowhere\.pth: no such checkpoint'):
        resolve_checkpoint(tiny_config(), str(tmp_path / 'nowhere.pth'))
    with pytest.raises(InputError, match='names no checkpoint; give it with --actions-checkpoint FILE'):
        resolve_checkpoint(tiny_config())
