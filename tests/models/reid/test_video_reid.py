"""The strong baseline on sequences: which feature each loss sees, its value, and what testing returns."""

import copy
from unittest import mock

import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from torch import nn

from mmtube.config import load_config
from mmtube.errors import InputError
from mmtube.registry import MODELS

LABELS = [0, 0, 2, 2, 4, 4]
N, T, DIMS = 6, 3, 8


@MODELS.register_module()
class PatchMeans(nn.Module):
    """A backbone for tests: a linear map of each pixel, so that the pooled feature can be computed by hand."""

    def __init__(self, channels: int = DIMS) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, channels, 1, bias=False)
        self.passes: list[int] = []

    def forward(self, images):
        self.passes.append(len(images))
        return (self.mix(images),)


def make_model(**options):
    torch.manual_seed(0)
    settings = dict(type='VideoReID', backbone=dict(type='PatchMeans'), in_channels=DIMS, num_identities=5)
    return MODELS.build({**settings, **options})


def make_samples(labels=LABELS, **meta):
    return [ActionDataSample(metainfo=meta).set_gt_label(label) for label in labels]


def make_images(count=N, length=T):
    return torch.randn(count, length, 3, 8, 4, generator=torch.Generator().manual_seed(1))


def f_t_of(model, images):
    """Float64, by hand: the backbone is linear, so the feature is that of the mean pixel."""
    pixels = images.double().numpy().mean(axis=(3, 4))  # (N, T, 3)
    weight = model.backbone.mix.weight.detach().double().numpy()[:, :, 0, 0]
    return (pixels @ weight.T).mean(axis=1)


def bnneck(f_t):
    """Batch norm in training with weight 1 and bias 0."""
    return (f_t - f_t.mean(axis=0)) / np.sqrt(f_t.var(axis=0) + 1e-5)


def smoothed_cross_entropy(logits, labels, epsilon=0.1):
    log_p = logits - logits.max(axis=1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    target = np.full(logits.shape, epsilon / logits.shape[1])
    target[np.arange(len(labels)), labels] += 1 - epsilon
    return -(target * log_p).sum(axis=1).mean()


def batch_hard(features, labels, margin=0.3):
    losses = []
    for row, label in enumerate(labels):
        distances = np.sqrt(((features - features[row]) ** 2).sum(axis=1).clip(1e-12))
        same = np.array(labels) == label
        losses.append(max(0, distances[same].max() - distances[~same].min() + margin))
    return np.mean(losses)


@pytest.fixture
def model():
    return make_model()


def test_each_loss_is_that_of_its_feature_of_whole_sequences(model):
    images = make_images()
    nn.init.normal_(model.classifier.weight)  # as large as later in training: at N(0, 0.001) any logits would do
    f_t = f_t_of(model, images)
    weight = model.classifier.weight.detach().double().numpy()
    centers = model.loss_center.centers.double().numpy().copy()
    losses = model(images, make_samples(), mode='loss')
    assert float(losses['loss_id']) == pytest.approx(smoothed_cross_entropy(bnneck(f_t) @ weight.T, LABELS), rel=1e-4)
    assert float(losses['loss_triplet']) == pytest.approx(batch_hard(f_t, LABELS), rel=1e-4)
    expected = 0.0005 * ((f_t - centers[LABELS]) ** 2).sum(axis=1).mean()
    assert float(losses['loss_center']) == pytest.approx(expected, rel=1e-4)
    # None of them is what the trap would give.
    assert batch_hard(bnneck(f_t), LABELS) != pytest.approx(batch_hard(f_t, LABELS), rel=1e-2)
    images_f = f_t_of(model, images.reshape(N * T, 1, 3, 8, 4))
    assert batch_hard(images_f, np.repeat(LABELS, T)) != pytest.approx(batch_hard(f_t, LABELS), rel=1e-2)


def test_triplet_and_center_loss_do_not_see_the_bnneck(model):
    """Whatever the BNNeck does to a feature, they stay: only the ID loss changes."""
    images = make_images()
    first = model(images, make_samples(), mode='loss')
    other = make_model()
    with torch.no_grad():
        other.neck.weight.mul_(7)
    second = other(images, make_samples(), mode='loss')
    assert float(first['loss_triplet']) == float(second['loss_triplet'])
    assert float(first['loss_center']) == float(second['loss_center'])
    assert float(first['loss_id']) != float(second['loss_id'])


def test_images_of_a_sequence_count_only_through_their_mean(model):
    images = make_images()
    mean = images.mean(dim=1, keepdim=True).expand(-1, T, -1, -1, -1)
    losses = [make_model()(batch, make_samples(), mode='loss') for batch in (images, mean)]
    for name in ('loss_id', 'loss_triplet', 'loss_center'):
        assert float(losses[0][name]) == pytest.approx(float(losses[1][name]), rel=1e-4)


def test_the_classifier_has_no_bias_and_the_bias_of_the_bnneck_stays_zero(model):
    assert model.classifier.bias is None
    assert make_model(num_identities=400).classifier.weight.std().item() == pytest.approx(0.001, rel=0.1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(3):
        losses = model(make_images(), make_samples(), mode='loss')
        optimizer.zero_grad()
        sum(loss for name, loss in losses.items() if 'loss' in name).backward()
        optimizer.step()
    assert model.neck.bias.tolist() == [0] * DIMS
    assert not torch.equal(model.neck.weight, torch.ones(DIMS))


def test_a_batch_with_one_identity_has_no_triplets(model):
    losses = model(make_images(), make_samples([3] * N), mode='loss')
    assert float(losses['loss_triplet']) == 0
    sum(loss for name, loss in losses.items() if 'loss' in name).backward()
    assert torch.isfinite(model.backbone.mix.weight.grad).all() and model.backbone.mix.weight.grad.abs().sum() > 0


def test_identical_features_have_finite_gradients(model):
    """Distances of 0 have no derivative; the clamp before the root keeps it from becoming infinite."""
    images = make_images(1).expand(N, -1, -1, -1, -1)
    losses = model(images, make_samples(), mode='loss')
    assert float(losses['loss_triplet']) == pytest.approx(0.3, abs=1e-2)
    losses['loss_triplet'].backward()
    assert torch.isfinite(model.backbone.mix.weight.grad).all()


def test_an_identity_that_the_classifier_does_not_have_is_named(model):
    with pytest.raises(InputError, match=r'identity 5 \(from 0\), the model has 5; set model\.num_identities'):
        model(make_images(), make_samples([0, 0, 1, 1, 5, 5]), mode='loss')


def uint8(count, seed=2):
    return torch.randint(0, 256, (count, 3, 8, 4), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def predict(model, sequences, samples):
    with torch.no_grad():
        return model.eval().test_step({'inputs': sequences, 'data_samples': samples})


def test_the_test_feature_is_the_bnneck_of_the_mean_of_all_images_of_unit_length(model):
    with torch.no_grad():
        model.neck.running_mean.normal_()
        model.neck.running_var.uniform_(0.5, 2)
    sequences = [uint8(14), uint8(1, seed=3)]
    found = predict(model, sequences, [*make_samples([0], chunks=[6, 6, 2]), *make_samples([1], chunks=[1])])
    assert model.backbone.passes == [6, 6, 2, 1]  # memory is bounded by the chunk
    mean, std = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])
    for sequence, sample in zip(sequences, found):
        images = (sequence.double().numpy() - mean[:, None, None]) / std[:, None, None]
        f_t = f_t_of(model, torch.from_numpy(images)[None])
        f_i = (f_t - model.neck.running_mean.numpy()) / np.sqrt(model.neck.running_var.numpy() + 1e-5)
        np.testing.assert_allclose(sample.pred_feature.numpy(), (f_i / np.linalg.norm(f_i))[0], atol=1e-5)


def test_chunks_do_not_change_the_feature(model):
    parts = [predict(model, [uint8(13)], make_samples([0], **meta)) for meta in ({}, {'chunks': [4, 4, 4, 1]})]
    np.testing.assert_allclose(*(part[0].pred_feature.numpy() for part in parts), atol=1e-6)


def test_single_images_share_a_pass_and_are_what_they_are_alone(model):
    images = [uint8(1, seed=seed) for seed in range(4)]
    together = predict(model, images, make_samples([0] * 4, chunks=[1]))
    assert model.backbone.passes == [4]
    for image, sample in zip(images, together):
        alone = predict(model, [image], make_samples([0]))
        np.testing.assert_allclose(sample.pred_feature.numpy(), alone[0].pred_feature.numpy(), atol=1e-6)


def test_training_batches_are_normalised_and_test_sequences_stay_bytes(model):
    sequences = [uint8(T), uint8(T, seed=3)]
    train = model.data_preprocessor({'inputs': sequences, 'data_samples': None}, True)['inputs']
    assert train.shape == (2, T, 3, 8, 4) and train.dtype == torch.float32
    assert float(train[1, 2, 0, 5, 1]) == pytest.approx((int(sequences[1][2, 0, 5, 1]) - 123.675) / 58.395, rel=1e-5)
    tested = model.data_preprocessor({'inputs': [uint8(4), uint8(9)], 'data_samples': None}, False)['inputs']
    assert [tuple(images.shape) for images in tested] == [(4, 3, 8, 4), (9, 3, 8, 4)]
    assert all(images.dtype == torch.uint8 for images in tested)


def test_tensor_mode_gives_f_i(model):
    images = make_images()
    f_i = model.eval()(images).detach().numpy()
    f_t = f_t_of(model, images)
    np.testing.assert_allclose(f_i, f_t / np.sqrt(1 + 1e-5), atol=1e-5)  # fresh statistics: mean 0, variance 1
    with pytest.raises(RuntimeError, match='mode must be'):
        model(images, mode='train')


def test_options_out_of_range_are_refused():
    for wrong in (dict(num_identities=0), dict(in_channels=0), dict(label_smoothing=1)):
        with pytest.raises(ValueError, match='must be positive'):
            make_model(**wrong)


def test_the_center_loss_can_be_switched_off():
    losses = make_model(loss_center=dict(loss_weight=0))(make_images(), make_samples(), mode='loss')
    assert float(losses['loss_center']) == 0


@pytest.mark.parametrize('name', ['reid/video_reid_r50_mars', 'reid/strong_baseline_r50_market1501'])
def test_the_paper_settings_are_in_the_configs(name):
    cfg = load_config(name)
    assert cfg.model.backbone.strides == (1, 2, 2, 1) and cfg.model.backbone.init_cfg.type == 'Pretrained'
    assert cfg.model.loss_center == dict(loss_weight=0.0005, lr=0.5)
    assert dict(cfg.optim_wrapper.optimizer) == dict(type='Adam', lr=3.5e-4, weight_decay=5e-4)
    sampler, batch = cfg.train_dataloader.sampler, cfg.train_dataloader.batch_size
    assert sampler.num_identities * sampler.num_sequences == batch
    assert cfg.train_dataloader.dataset.pipeline[1].size == (256, 128)


def test_a_resnet_50_of_the_config_keeps_the_resolution_of_its_last_stage():
    cfg = copy.deepcopy(load_config('reid/video_reid_r50_mars').model)
    cfg.backbone.init_cfg = None
    with mock.patch.object(torch.nn.init, 'kaiming_normal_'):  # 24 M draws are not what is tested
        model = MODELS.build(cfg)
    with torch.no_grad():
        (maps,) = model.eval().backbone(torch.zeros(1, 3, 256, 128))
    assert maps.shape == (1, 2048, 16, 8)


def test_the_rate_warms_up_for_ten_epochs_and_falls_at_40_and_70():
    from mmengine.optim import OptimWrapper
    from mmengine.registry import PARAM_SCHEDULERS

    parameter = nn.Parameter(torch.zeros(1))
    wrapper = OptimWrapper(torch.optim.Adam([parameter], lr=1.0))
    cfg: Config = load_config('reid/video_reid_r50_mars')
    schedulers = [PARAM_SCHEDULERS.build({**step, 'optimizer': wrapper}) for step in cfg.param_scheduler]
    rates = []
    for _ in range(120):
        rates.append(wrapper.param_groups[0]['lr'])
        for scheduler in schedulers:
            scheduler.step()
    warm = [0.01 + 0.099 * epoch for epoch in range(10)]
    np.testing.assert_allclose(rates, [*warm, *[1] * 30, *[0.1] * 30, *[0.01] * 50], rtol=1e-6)
