from .box_sampling import PickedBoxes, pick_boxes, sample_boxes
from .boxes import (
    box_areas,
    box_centers,
    box_iou,
    box_overlap,
    clip_boxes,
    cxcyah_to_xyxy,
    denormalize_boxes,
    normalize_boxes,
    paired_box_iou,
    xywh_to_xyxy,
    xyxy_to_cxcyah,
    xyxy_to_xywh,
)
from .segments import merge_segments, paired_segment_iou, segment_iou
from .tubes import fill_gaps, interpolate_boxes, temporal_iou, tube_iou

__all__ = [
    'PickedBoxes',
    'box_areas',
    'box_centers',
    'box_iou',
    'box_overlap',
    'clip_boxes',
    'cxcyah_to_xyxy',
    'denormalize_boxes',
    'fill_gaps',
    'interpolate_boxes',
    'merge_segments',
    'normalize_boxes',
    'paired_box_iou',
    'paired_segment_iou',
    'pick_boxes',
    'sample_boxes',
    'segment_iou',
    'temporal_iou',
    'tube_iou',
    'xywh_to_xyxy',
    'xyxy_to_cxcyah',
    'xyxy_to_xywh',
]
