from .activitynet_json import read_activitynet_json, write_activitynet_json
from .ava_csv import read_ava_csv, write_ava_csv
from .features_npz import FeatureFile, FeatureMeta, TubeletFeatures, read_features_npz, write_features_npz
from .film_writer import FilmWriter
from .link_proposals_json import LinkProposals, read_link_proposals, write_link_proposals
from .mot_txt import read_mot_detections, read_mot_txt, write_mot_detections, write_mot_txt
from .result_json import read_result_json, result_schema, write_result_json
from .safe_pickle import load_pickle
from .webvtt import read_webvtt, write_webvtt

__all__ = [
    'FeatureFile',
    'FeatureMeta',
    'FilmWriter',
    'LinkProposals',
    'TubeletFeatures',
    'load_pickle',
    'read_activitynet_json',
    'read_ava_csv',
    'read_features_npz',
    'read_link_proposals',
    'read_mot_detections',
    'read_mot_txt',
    'read_result_json',
    'read_webvtt',
    'result_schema',
    'write_activitynet_json',
    'write_ava_csv',
    'write_features_npz',
    'write_link_proposals',
    'write_mot_detections',
    'write_mot_txt',
    'write_result_json',
    'write_webvtt',
]
