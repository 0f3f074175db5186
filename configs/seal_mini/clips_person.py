_base_ = ['./clips_serial.py']

# People look at one another.
model = dict(roi_head=dict(interaction=dict(blocks='PP'), memory=None))
