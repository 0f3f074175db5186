_base_ = ['../_base_/deepsort.py']

# Boxes in, tubelets out, by motion and overlap alone: for `tools/track.py` without a film. A box below 0.6 extends a
# track but starts none, ByteTrack's high threshold for detectors whose scores are probabilities.
default_scope = 'mmtube'
tracker = dict(high_score=0.6)
