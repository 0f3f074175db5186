from ._common import own_boxes, read_videos, without_broken
from .act_pkl import act_pkl_label_map, read_act_pkl, write_act_pkl
from .activitynet import activitynet_label_map, read_activitynet, write_activitynet
from .ava_csv import read_ava_csv, write_ava_csv
from .cvat import write_cvat
from .cvat_labels import cvat_label_maps
from .cvat_read import read_cvat
from .mot import read_mot, write_mot
from .result_files import read_results, result_label_maps, write_results
from .results import from_results, to_results

__all__ = [
    'act_pkl_label_map',
    'activitynet_label_map',
    'cvat_label_maps',
    'from_results',
    'own_boxes',
    'read_act_pkl',
    'read_activitynet',
    'read_ava_csv',
    'read_cvat',
    'read_mot',
    'read_results',
    'read_videos',
    'result_label_maps',
    'to_results',
    'without_broken',
    'write_act_pkl',
    'write_activitynet',
    'write_ava_csv',
    'write_cvat',
    'write_mot',
    'write_results',
]
