_base_ = ['./clips_serial.py']

# People look at objects.
model = dict(roi_head=dict(interaction=dict(blocks='OO'), memory=None))
