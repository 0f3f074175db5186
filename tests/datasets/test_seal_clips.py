"""SEAL Clips as a data set: what an item holds, who is left out, and that detectors and loaders take it."""

import pickle

import mmaction.models  # noqa: F401  (registers its heads with MMDetection)
import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from mmtube.config import load_config
from mmtube.datasets import SEALClips
from mmtube.errors import InputError
from mmtube.registry import DATASETS, MODELS
from mmtube.structures.seal import BoxTable, InstanceTable, SEALAnnotations, TubeletRecord, VideoRecord, write_seal_json

PIPELINE = [
    dict(type='SampleSEALClip', clip_len=8, frame_interval=4),
    dict(type='DecodeWindow', short_side=32),
    dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
    dict(type='PackSEALClip'),
]


def clips(root, **options):
    options = {'ann_file': 'train.json', 'label_map': 'map.json', **options}
    return SEALClips(data_root=str(root), data_prefix=dict(video='videos'), **options)


def keys(dataset):
    return [dataset.get_data_info(index)['img_key'] for index in range(len(dataset))]


def test_an_item_says_who_is_where_doing_what(seal_set):
    info = clips(seal_set)[2]
    assert info['img_key'] == 'a25,0003' and info['timestamp'] == 3 and info['key_s'] == 3.0
    assert (info['clip_start_s'], info['clip_end_s'], info['ori_shape']) == (2.0, 4.0, (48, 64))
    assert info['film'] == str(seal_set / 'videos' / 'a25.mp4')
    assert info['person_ids'].tolist() == [3, 5] and info['tids'] == ['a.0', 'a.1']
    # a.0 is at frame / 10, a.1 at 20 + frame / 10; the key time is frame 75.
    np.testing.assert_allclose(info['gt_bboxes'], [[7.5, 4, 27.5, 44], [27.5, 4, 47.5, 44]])
    assert info['gt_labels'].tolist() == [[True, False, True], [False, True, False]]
    np.testing.assert_array_equal(info['proposals'], info['gt_bboxes'])
    assert 'tube_boxes' not in info


def test_at_four_boxes_per_second_an_item_has_boxes_over_time_and_the_same_truth(seal_set):
    one, four = clips(seal_set)[2], clips(seal_set, boxes_per_s=4)[2]
    np.testing.assert_array_equal(one['gt_bboxes'], four['gt_bboxes'])
    np.testing.assert_array_equal(one['gt_labels'], four['gt_labels'])
    assert four['tube_boxes'].shape == (2, 8, 4)
    assert four['box_times_s'].tolist() == [2.125 + 0.25 * j for j in range(8)]
    # a.1 begins at 3 s: of 2.125, ..., 2.875 only the last is within a quarter of a second.
    assert four['tube_valid'].astype(int).tolist() == [[1] * 8, [0, 0, 0, 1, 1, 1, 1, 1]]


def test_training_drops_clips_and_people_without_labels_and_testing_keeps_them(seal_set):
    train, test = clips(seal_set), clips(seal_set, test_mode=True)
    # In b30 nothing is labelled. In a25, a.0 is labelled until 4 s and a.1 from 3 s on.
    assert keys(train) == [f'a25,000{key}' for key in range(1, 6)]
    assert train[4]['tids'] == ['a.1'] and test[4]['tids'] == ['a.0', 'a.1']
    assert keys(test) == [*keys(train), 'b30,0001', 'b30,0002']
    assert test[5]['gt_labels'].tolist() == [[False] * 3]
    assert keys(clips(seal_set, min_labels=0)) == keys(test)


def test_clips_without_people_can_stay_in_testing(seal_set):
    dataset = clips(seal_set, test_mode=True, keep_empty=True)
    assert len(dataset) == 10
    assert dataset[9]['gt_bboxes'].shape == (0, 4) and dataset[9]['gt_labels'].shape == (0, 3)
    sample = clips(seal_set, test_mode=True, keep_empty=True, boxes_per_s=4, pipeline=PIPELINE)[9]['data_samples']
    assert len(sample.gt_instances) == 0 and sample.proposals.tube_boxes.shape == (0, 8, 4)


def test_training_takes_a_random_few_of_many_people(seal_set):
    dataset = clips(seal_set, max_persons=1)
    chosen = {tuple(dataset[2]['tids']) for _ in range(40)}
    assert chosen == {('a.0',), ('a.1',)}
    assert len(clips(seal_set, max_persons=1, test_mode=True)[2]['tids']) == 2


def test_boxes_of_a_detector_take_the_place_of_the_annotated_ones(seal_set):
    dataset = clips(seal_set, boxes='coarse.json', boxes_per_s=4, test_mode=True)
    # Coarse people are in a25 until 2.4 s and in b30 from 3 s on, and the films stand in another order there.
    assert keys(dataset) == [f'{vid},000{key}' for vid in ('a25', 'b30') for key in range(1, 6)]
    found = [len(dataset[index]['proposals']) for index in range(10)]
    assert found == [1, 1, 0, 0, 0, 0, 0, 1, 1, 1]
    info = dataset[1]
    np.testing.assert_allclose(info['proposals'], [[6, 4, 26, 44]])  # 1 + 50 / 10
    np.testing.assert_allclose(info['gt_bboxes'], [[5, 4, 25, 44]])
    assert info['tube_boxes'].shape == (1, 8, 4) and not info['proposals_are_gt']


@pytest.fixture
def detections(tmp_path):
    """People in all of b30 with a score each, which is as low as 0.1 in the last three seconds."""
    frames, tracks, tubelets = np.arange(180), {}, {}
    for number, score in enumerate([0.5, 0.9, 0.8]):
        scores = np.where(frames < 90, score, score / 10)
        tracks[f'c{number}'] = (frames, np.tile([9 * number, 0, 9 * number + 9, 9], (180, 1)), scores, 0 * frames)
        tubelets[f'c{number}'] = TubeletRecord('b30', number, (0, 180), f'c{number}')
    videos = {'b30': VideoRecord('mini', 64, 48, 30.0, 180, 6.0, 'train')}
    write_seal_json(SEALAnnotations(videos, tubelets, boxes=BoxTable.from_tracks(tracks)), tmp_path / 'c.json')
    return str(tmp_path / 'c.json')


@pytest.mark.parametrize('boxes_per_s', [1, 4])
def test_boxes_of_a_tracker_have_scores_and_the_confident_ones_are_used(seal_set, detections, boxes_per_s):
    options = dict(boxes=detections, boxes_per_s=boxes_per_s, test_mode=True, pipeline=PIPELINE)
    # 0.8 is not a number of float16, in which scores are kept; it still counts as 0.8.
    found = [sample.proposals for sample in (clips(seal_set, **options)[5 + i]['data_samples'] for i in range(5))]
    assert [proposals.scores.tolist() for proposals in found] == [
        *[[np.float16(0.9), np.float16(0.8)]] * 2,
        *[[np.float16(0.09)]] * 3,  # the best stays
    ]
    assert [proposals.bboxes[0, 0].item() for proposals in found] == [9 * 43 / 64] * 5  # 43 columns go with 32 lines
    everybody = clips(seal_set, **{**options, 'min_score': 0.0, 'pipeline': ()})
    assert everybody[9]['proposal_scores'].tolist() == [np.float16(score) for score in (0.05, 0.09, 0.08)]
    assert 'proposal_scores' not in clips(seal_set)[0]


def test_a_clip_of_a_tracker_without_a_key_box_is_not_served(seal_set, tmp_path):
    frames = np.array([*range(13), *range(47, 60)])  # key time 1 s is frame 30; boxes at half of the times
    track = (frames, np.tile([0, 0, 9, 9], (26, 1)), np.ones(26), np.zeros(26))
    record = VideoRecord('mini', 64, 48, 30.0, 180, 6.0, 'train')
    coarse = SEALAnnotations(
        {'b30': record}, {'c': TubeletRecord('b30', 0, (0, 60), 'c')}, boxes=BoxTable.from_tracks({'c': track})
    )
    write_seal_json(coarse, tmp_path / 'c.json')
    empty = SEALAnnotations({'b30': record}, {})
    write_seal_json(empty, tmp_path / 'a.json')
    dataset = clips(seal_set, ann_file=str(tmp_path / 'a.json'), boxes=str(tmp_path / 'c.json'), test_mode=True)
    assert dataset.proposals.num_rows == 2 and keys(dataset) == ['b30,0002']
    everybody = clips(
        seal_set, ann_file=dataset.ann_file, boxes=str(tmp_path / 'c.json'), test_mode=True, min_score=0.0
    )
    assert keys(everybody) == ['b30,0002']


def test_a_film_that_the_detector_file_lacks_or_cuts_short_has_no_boxes_there(seal_set, tmp_path):
    record = VideoRecord('mini', 64, 48, 30.0, 90, 3.0, 'train')  # key times 1 and 2 only
    track = (np.arange(90), np.tile([0, 0, 9, 9], (90, 1)), np.ones(90), np.zeros(90))
    tubelets = {'c': TubeletRecord('b30', 0, (0, 90), 'c')}
    write_seal_json(
        SEALAnnotations({'b30': record}, tubelets, boxes=BoxTable.from_tracks({'c': track})), tmp_path / 'c.json'
    )
    dataset = clips(seal_set, boxes=str(tmp_path / 'c.json'), test_mode=True, keep_empty=True)
    assert [len(dataset[index]['proposals']) for index in range(10)] == [0] * 5 + [1, 1, 0, 0, 0]


def test_a_person_without_a_box_at_the_key_time_is_not_used(tmp_path):
    frames = np.array([*range(10), *range(36, 46)])  # around the key time 1 s of clip 0 there is none
    track = (frames, np.tile([0, 0, 9, 9], (20, 1)), np.ones(20), np.zeros(20))
    record = VideoRecord('mini', 64, 48, 25.0, 50, 2.0, 'train')
    tubelets = {'t': TubeletRecord('v', 0, (0, 46), 't')}
    aa = InstanceTable.from_rows([('t', 0, 'pose', 0.0, 2.0)])
    write_seal_json(
        SEALAnnotations({'v': record}, tubelets, aa, boxes=BoxTable.from_tracks({'t': track})), tmp_path / 'a.json'
    )
    for rate in (1, 4):
        dataset = SEALClips('a.json', data_root=str(tmp_path), boxes_per_s=rate)
        assert dataset.index.num_rows == 1 and len(dataset) == 0


def test_proposals_of_a_pickle_take_their_place_too(seal_set, tmp_path):
    content = {
        'a25,0001': np.array([[0.25, 0, 0.5, 1, 0.9], [0, 0, 1, 1, 0.3]]),
        'b30,0005': np.array([[0, 0, 1, 1, 0.1]]),
    }
    (tmp_path / 'p.pkl').write_bytes(pickle.dumps(content))
    dataset = clips(seal_set, boxes=str(tmp_path / 'p.pkl'), test_mode=True)
    assert dataset[0]['proposals'].tolist() == [[16, 0, 32, 48]]
    assert dataset[0]['proposal_scores'].tolist() == [np.float32(0.9)]
    assert keys(dataset)[-1] == 'b30,0005' and len(dataset[7]['proposals']) == 1  # the best stays


@pytest.mark.parametrize(
    ('content', 'cause'),
    [
        ([1], 'dict'),
        ({'a25,0001': np.zeros((2, 3))}, "'a25,0001'"),
        ({'a25,0001': np.array([[8, 8, 32, 48.0]])}, 'pixels'),
        ({'a25,0001': np.array([[0, 0, np.nan, 1]])}, 'pixels'),
    ],
)
def test_proposals_of_another_form_are_refused(seal_set, tmp_path, content, cause):
    (tmp_path / 'p.pkl').write_bytes(pickle.dumps(content))
    with pytest.raises(InputError, match=rf'p\.pkl: .*{cause}'):
        clips(seal_set, boxes=str(tmp_path / 'p.pkl'))


def test_proposals_of_a_pickle_have_one_box_per_second(seal_set):
    with pytest.raises(ValueError, match='1 box per second'):
        clips(seal_set, boxes='p.pkl', boxes_per_s=4)


def test_label_rules_and_windows_are_options(seal_set):
    # At the key time 4 s class 0 has ended; the window of clip 3 shares one of its two seconds.
    assert clips(seal_set, test_mode=True)[3]['gt_labels'][0].tolist() == [True, False, True]
    keytime = clips(seal_set, test_mode=True, label_rule='keytime')
    assert keytime[3]['gt_labels'][0].tolist() == [False, False, False]
    short = clips(seal_set, window_s=1.0, stride_s=0.5)
    assert short[0]['img_key'] == 'a25,0.5' and short[0]['timestamp'] == 0.5


def test_a_column_for_no_action_can_be_added(seal_set):
    labels = clips(seal_set, background_class=True)[2]['gt_labels']
    assert labels.tolist() == [[False, True, False, True], [False, False, True, False]]


def test_classes_come_from_the_label_map(seal_set):
    dataset = clips(seal_set)
    assert dataset.metainfo['classes'] == ('stand up', 'hug', 'lift') and dataset.num_classes == 3
    assert clips(seal_set, label_map=None).num_classes == 3


def test_indices_choose_items_as_in_mmengine(seal_set):
    everything = keys(clips(seal_set))
    assert keys(clips(seal_set, indices=2)) == everything[:2]
    assert keys(clips(seal_set, indices=-2)) == everything[-2:]
    assert keys(clips(seal_set, indices=[3, 1])) == [everything[3], everything[1]]
    dataset = clips(seal_set)
    part = dataset.get_subset([0, 4])
    assert keys(part) == [everything[0], everything[4]] and len(dataset) == 5
    assert [len(labels) for labels in np.split(part.item_labels()[1], part.item_labels()[0][1:-1])] == [1, 1]


def test_nothing_is_read_before_it_is_needed(tmp_path):
    dataset = SEALClips('none.json', data_root=str(tmp_path), lazy_init=True)
    with pytest.raises(InputError, match=r'none\.json'):
        len(dataset)


def test_an_annotation_without_instances_is_refused_where_classes_are_needed(tmp_path):
    annotations = SEALAnnotations({'v': VideoRecord('mini', 64, 48, 25.0, 50, 2.0, 'train')}, {})
    write_seal_json(annotations, tmp_path / 'a.json')
    dataset = SEALClips('a.json', data_root=str(tmp_path), test_mode=True)
    assert len(dataset) == 0
    with pytest.raises(InputError, match=r'a\.json: has no atomic instance'):
        _ = dataset.num_classes


def test_a_film_that_is_not_there_is_named_with_the_clip(seal_set, tmp_path):
    dataset = SEALClips('train.json', data_root=str(seal_set), data_prefix=dict(video=str(tmp_path)))
    (tmp_path / 'other.mp4').write_bytes(b'')
    with pytest.raises(InputError, match=r"has no film 'a25', .* which clip a25,0001 needs"):
        dataset[0]


def test_item_labels_are_those_of_all_people_of_a_clip(seal_set):
    offsets, labels = clips(seal_set).item_labels()
    assert [part.tolist() for part in np.split(labels, offsets[1:-1])] == [[0], [0, 2], [0, 1, 2], [0, 1, 2], [1]]
    offsets, labels = clips(seal_set, test_mode=True).item_labels()
    assert offsets.tolist() == [0, 1, 3, 6, 9, 10, 10, 10]


# --- loaders and detectors ---


def loader(dataset, workers=0, batch_size=2, **options):
    with DefaultScope.overwrite_default_scope('mmtube'):
        return Runner.build_dataloader(
            dict(
                dataset=dataset,
                batch_size=batch_size,
                num_workers=workers,
                sampler=dict(type='DefaultSampler', shuffle=False),
                collate_fn=dict(type='pseudo_collate'),
                **options,
            ),
            seed=0,
        )


def spec(root, **options):
    return dict(
        type='SEALClips',
        ann_file='train.json',
        data_root=str(root),
        data_prefix=dict(video='videos'),
        label_map='map.json',
        pipeline=PIPELINE,
        **options,
    )


@pytest.mark.parametrize('start', ['fork', 'spawn'])
def test_worker_processes_give_what_this_process_gives(seal_set, start):
    options = dict(test_mode=True, boxes_per_s=4)
    own = [item for batch in loader(spec(seal_set, **options)) for item in zip(batch['inputs'], batch['data_samples'])]
    batches = loader(spec(seal_set, **options), 2, multiprocessing_context=start)
    theirs = [item for batch in batches for item in zip(batch['inputs'], batch['data_samples'])]
    assert len(own) == len(theirs) == 7
    for (inputs, sample), (other_inputs, other) in zip(own, theirs):
        assert torch.equal(inputs, other_inputs) and sample.img_key == other.img_key
        assert torch.equal(sample.proposals.tube_boxes, other.proposals.tube_boxes)


def tiny_detector(num_classes):
    """A SlowFast-like RoI detector of MMAction2 in miniature."""
    return MODELS.build(
        ConfigDict(
            type='mmdet.FastRCNN',
            _scope_='mmdet',
            backbone=dict(
                type='mmaction.ResNet3dSlowOnly',
                depth=18,
                pretrained=None,
                base_channels=4,
                num_stages=2,
                out_indices=(1,),
                spatial_strides=(1, 2),
                temporal_strides=(1, 1),
                dilations=(1, 1),
                conv1_kernel=(1, 7, 7),
                conv1_stride_t=1,
                pool1_stride_t=1,
                lateral=False,
            ),
            roi_head=dict(
                type='AVARoIHead',
                bbox_roi_extractor=dict(
                    type='SingleRoIExtractor3D',
                    roi_layer_type='RoIAlign',
                    output_size=4,
                    with_temporal_pool=True,
                    featmap_stride=8,
                ),
                bbox_head=dict(
                    type='BBoxHeadAVA', background_class=False, in_channels=8, num_classes=num_classes, topk=(1,)
                ),
            ),
            data_preprocessor=dict(
                type='mmaction.ActionDataPreprocessor', mean=[128.0] * 3, std=[64.0] * 3, format_shape='NCTHW'
            ),
            train_cfg=dict(
                rcnn=dict(
                    assigner=dict(type='MaxIoUAssignerAVA', pos_iou_thr=0.9, neg_iou_thr=0.9, min_pos_iou=0.9),
                    sampler=dict(
                        type='mmdet.RandomSampler', num=32, pos_fraction=1, neg_pos_ub=-1, add_gt_as_proposals=True
                    ),
                    pos_weight=1.0,
                )
            ),
            test_cfg=dict(rcnn=None),
        )
    )


def test_a_clip_without_anybody_left_in_the_picture_is_drawn_again(seal_set):
    crop = [*PIPELINE[:2], dict(type='mmaction.RandomCrop', size=16), *PIPELINE[2:]]
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  (what MMAction2's crop draws from)
    dataset = clips(seal_set, pipeline=crop, boxes_per_s=4, min_labels=0)
    samples = [dataset[index % len(dataset)]['data_samples'] for index in range(60)]
    people = [len(sample.gt_instances) for sample in samples]
    assert min(people) == 1 and max(people) == 2
    for sample in samples:
        for boxes in (sample.gt_instances.bboxes, sample.proposals.bboxes):
            assert len(boxes) == len(sample.tids) == len(sample.gt_instances.labels)
            assert (boxes[:, 2:] - boxes[:, :2] >= 1).all()
        seen = sample.proposals.tube_boxes[sample.proposals.tube_valid]
        assert (seen[:, 2:] - seen[:, :2] >= 1).all()
    owns_class_1 = {'a.0': 0, 'a.1': 1, 'b.0': 0}
    for sample in samples:
        for tid, labels in zip(sample.tids, sample.gt_instances.labels.int().tolist()):
            assert labels[1] == owns_class_1[tid]


@pytest.mark.parametrize('boxes_per_s', [1, 4])
def test_the_roi_detector_of_mmaction2_trains_and_tests_on_clips(seal_set, boxes_per_s):
    torch.manual_seed(0)
    model = tiny_detector(3)
    for first in ([], [dict(type='JitterBoxes')]):
        # The third clip has two people: of two boxes that are the truth MMAction2 copies the labels in another way.
        batch = list(loader({**spec(seal_set, boxes_per_s=boxes_per_s), 'pipeline': [*first, *PIPELINE]}))[1]
        assert len(batch['data_samples'][0].gt_instances) == 2
        losses = model(**model.data_preprocessor(batch, training=True), mode='loss')
        assert torch.isfinite(losses['loss_action_cls']) and losses['loss_action_cls'] > 0
        losses['loss_action_cls'].backward()
    model.eval()
    batch = next(iter(loader(spec(seal_set, boxes_per_s=boxes_per_s, test_mode=True), batch_size=1)))
    with torch.no_grad():
        results = model(**model.data_preprocessor(batch), mode='predict')
    found = results[0].pred_instances
    assert found.scores.shape == (1, 3)
    # MMAction2 gives boxes as fractions of the frame; the first clip has a.0 at frame 25.
    np.testing.assert_allclose(found.bboxes[0], [2.5 / 64, 4 / 48, 22.5 / 64, 44 / 48], atol=1e-3)


def test_the_base_config_builds_and_serves_on_a_folder_of_this_layout(seal_set, tmp_path):
    cfg = load_config('configs/_base_/datasets/seal_clips.py')
    for name, part in (('train', cfg.train_dataloader), ('val', cfg.val_dataloader)):
        dataset = {**part.dataset, 'data_root': str(seal_set), 'ann_file': 'train.json', 'label_map': 'map.json'}
        with DefaultScope.overwrite_default_scope('mmtube'):
            item = DATASETS.build(dataset)[0]
        assert item['inputs'].shape[:2] == (3, 32), name
        assert min(item['inputs'].shape[2:]) == (256 if name == 'train' else 48)


def test_boxes_of_a_table_are_not_carried_to_workers(seal_set):
    dataset = clips(seal_set, pipeline=[])
    assert not any(isinstance(value, (SEALAnnotations, BoxTable, InstanceTable)) for value in vars(dataset).values())
