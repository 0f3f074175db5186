from .annotations import SEALAnnotations
from .box_table import EDITED, HEAD_VISIBLE, INTERPOLATED, BoxTable, BoxTrack, read_box_table, write_box_table
from .class_rank import ClassRank, parse_subset, read_class_rank, subset_classes, write_class_rank
from .findings import Finding, refuse
from .label_map import LabelMap, label_maps_beside, read_label_map, seal_label_map, write_label_map
from .records import GROUPS, STAGES, InstanceTable, TubeletRecord, VideoRecord
from .seal_json import boxes_path, read_seal_json, write_seal_json
from .table_rules import table_findings

__all__ = [
    'EDITED',
    'GROUPS',
    'HEAD_VISIBLE',
    'INTERPOLATED',
    'STAGES',
    'BoxTable',
    'BoxTrack',
    'ClassRank',
    'Finding',
    'InstanceTable',
    'LabelMap',
    'SEALAnnotations',
    'TubeletRecord',
    'VideoRecord',
    'boxes_path',
    'label_maps_beside',
    'parse_subset',
    'read_box_table',
    'read_class_rank',
    'read_label_map',
    'read_seal_json',
    'refuse',
    'seal_label_map',
    'subset_classes',
    'table_findings',
    'write_box_table',
    'write_class_rank',
    'write_label_map',
    'write_seal_json',
]
