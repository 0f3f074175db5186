"""What the head pools, learns from and reports, and what goes before and after it."""

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

from mmtube.models.roi_heads import ClipActionHead, ClipPreprocessor, TubeRoIHead

CHANNELS, CLASSES = 3, 4


def head_of(**options):
    return TubeRoIHead(
        dict(type='RoIOverTime', output_size=2),
        dict(type='ClipActionHead', in_channels=CHANNELS, channels=8, num_classes=CLASSES),
        **options,
    )


def sample_of(boxes, truth=None, labels=None, objects=None, **meta):
    sample = ActionDataSample(metainfo=dict(video_id='a', key_s=1.0, img_shape=(80, 160), **meta))
    sample.proposals = InstanceData(bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4))
    if truth is not None:
        sample.gt_instances = InstanceData(bboxes=torch.tensor(truth), labels=torch.tensor(labels))
    if objects is not None:
        sample.objects = InstanceData(bboxes=torch.tensor(objects, dtype=torch.float32).reshape(-1, 4))
    return sample


def maps(clips=1):
    return [torch.randn(clips, CHANNELS, 2, 5, 10, generator=torch.Generator().manual_seed(0))]


BOX = [40.0, 20.0, 80.0, 60.0]


def test_in_testing_people_are_pooled_in_larger_boxes_and_reported_in_their_own():
    head, sample = head_of().eval(), sample_of([BOX, [0, 0, 160, 80]])
    features = head.pool(maps(), [sample], [sample.proposals])
    # 40 pixels and 10 percent are 2 more on the left and right, 5 percent 1 more above and below; not beyond the frame.
    wider = torch.tensor([[[38.0, 19, 82, 61]], [[0, 0, 160, 80]]])
    torch.testing.assert_close(features.people, head.roi_extractor(maps(), wider, torch.zeros(2).long()))
    (found,) = head.predict(features, [sample])
    torch.testing.assert_close(found.pred_instances.bboxes[0], torch.tensor([0.25, 0.25, 0.5, 0.75]))
    head.train()
    exact = head.roi_extractor(maps(), sample.proposals.bboxes[:, None], torch.zeros(2).long())
    torch.testing.assert_close(head.pool(maps(), [sample], [sample.proposals]).people, exact)


def test_proposals_learn_from_the_person_they_overlap_most():
    truth, labels = [BOX, [60.0, 20.0, 100.0, 60.0]], torch.eye(CLASSES)[:2].tolist()
    # The second one by 3/4 of its area (IoU 0.6); at 0.5 of the width IoU is 1/3; far away.
    boxes = [[70.0, 20, 110, 60], BOX, [100.0, 20, 140, 60], [0.0, 0, 10, 10]]
    features = head_of().pool_labelled(maps(), [sample_of(boxes, truth, labels)])
    assert features.boxes.tolist() == boxes[:2] and features.labels.tolist() == [labels[1], labels[0]]
    # As many proposals as people are not the people for that.
    swapped = head_of().pool_labelled(maps(), [sample_of(truth[::-1], truth, labels)])
    assert swapped.labels.tolist() == labels[::-1]
    given = head_of().pool_labelled(maps(), [sample_of(truth, truth, labels, proposals_are_gt=True)])
    assert given.labels.tolist() == labels


def test_a_detector_that_finds_nobody_teaches_nothing_yet_all_have_gradients():
    head, features = head_of(), maps()[0].requires_grad_()
    losses = head.loss([features], [sample_of([], [BOX], [[1.0, 0, 0, 0]])])
    total = sum(losses.values())
    total.backward()
    assert total.item() == 0 and features.grad is not None
    assert all(parameter.grad is not None and not parameter.grad.any() for parameter in head.parameters())


def test_objects_go_into_slots_in_their_order():
    interaction = dict(type='InteractionAggregation', blocks='O', in_channels=CHANNELS, channels=4)
    head = head_of(interaction=interaction, max_objects=3).train()
    objects = [[0.0, 0, 40, 40], [40.0, 0, 80, 40], BOX, [90.0, 0, 100, 40]]
    samples = [sample_of([BOX], objects=[]), sample_of([BOX], objects=objects)]
    features = head.pool(maps(2), samples, [sample.proposals for sample in samples])
    assert features.objects_valid.tolist() == [[False] * 3, [True] * 3] and not features.objects[0].any()
    boxes = torch.tensor(objects[:3])[:, None]
    torch.testing.assert_close(features.objects[1], head.roi_extractor(maps(2), boxes, torch.ones(3).long()))


def test_without_boxes_over_time_a_person_has_that_of_the_key_time():
    head, sample = head_of(), sample_of([BOX, BOX], frame_times_s=[0.0, 1.0], box_times_s=[0.0, 1.0])
    sample.proposals.tube_boxes = torch.tensor([[[0.0, 0, 32, 32], [32.0, 0, 64, 32]], [[0.0] * 4] * 2])
    sample.proposals.tube_valid = torch.tensor([[True, True], [False, False]])
    features = head.pool(maps(), [sample], [sample.proposals])
    boxes = torch.stack([sample.proposals.tube_boxes[0], torch.tensor([BOX, BOX])])
    expected = head.roi_extractor(maps(), boxes, torch.zeros(2).long(), [torch.tensor([0, 1])])
    torch.testing.assert_close(features.people, expected)


def test_a_memory_of_another_length_is_refused():
    interaction = dict(type='InteractionAggregation', blocks='M', in_channels=CHANNELS, num_seconds=5)
    with pytest.raises(ValueError, match='do not fit a memory of 61'):
        head_of(interaction=interaction)
    with pytest.raises(ValueError, match='no M block'):
        head_of(memory=dict())


def test_the_layers_of_the_head_are_those_of_the_paper():
    head = ClipActionHead(3, 5, 2).double().eval()
    features = torch.randn(4, 3).double()
    hidden = features
    for layer in head.hidden:
        hidden = (hidden @ layer.weight.T + layer.bias).clamp(min=0)
    expected = hidden @ head.classifier.weight.T + head.classifier.bias
    torch.testing.assert_close(head(features), expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(head.scores(expected), 1 / (1 + (-expected).exp()), rtol=0, atol=1e-10)
    assert len(head.hidden) == 2 and not any(layer.bias.any() for layer in (*head.hidden, head.classifier))
    with pytest.raises(ValueError, match='3 classes'):
        ClipActionHead(3, 5, 2, loss=dict(type='GroupedFocalLoss', groups=[3]))


def test_clips_are_normalised_first_and_padded_with_zeros_then():
    clips = [torch.full((3, 2, 20, 30), 200, dtype=torch.uint8), torch.full((3, 2, 33, 10), 100, dtype=torch.uint8)]
    preprocessor = ClipPreprocessor(mean=(100, 150, 200), std=(10, 20, 50))
    found = preprocessor({'inputs': clips, 'data_samples': []})['inputs']
    assert found.shape == (2, 3, 2, 48, 32) and found.dtype == torch.float32
    assert found[0, :, :, :20, :30].amax((1, 2, 3)).tolist() == [10.0, 2.5, 0.0]
    assert found[1, :, :, :33, :10].amin((1, 2, 3)).tolist() == [0.0, -2.5, -2.0]
    assert not found[0, :, :, 20:].any() and not found[0, :, :, :, 30:].any() and not found[1, :, :, :, 10:].any()


@pytest.mark.parametrize('loss', ['GroupedFocalLoss', 'AsymmetricLoss'])
def test_losses_and_scores_are_of_single_precision_where_layers_run_in_half(loss):
    head = ClipActionHead(6, 8, loss=dict(type=loss))
    logits = torch.linspace(-9, 9, 40 * 172).view(40, 172).bfloat16()
    labels = (torch.arange(40 * 172).view(40, 172) % 7 == 0).float()
    expected, scores = head.loss(logits.float(), labels), head.scores(logits.float())
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(head.scores(logits), scores)
        found = head.loss(logits, labels)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-6, atol=0)
