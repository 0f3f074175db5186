_base_ = ['features_clips.py']

# Features of the network of clips_activities.py, on the same rows.
model = dict(stream='activities', network='mmtube::seal_mini/clips_activities.py')
