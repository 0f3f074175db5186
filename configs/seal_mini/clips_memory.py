_base_ = ['./clips_serial.py']

# People look at ten seconds before and after.
model = dict(roi_head=dict(interaction=dict(blocks='MM')))
