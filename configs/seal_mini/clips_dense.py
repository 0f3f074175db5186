_base_ = ['./clips_serial.py']

# AlphAction's dense serial structure.
model = dict(roi_head=dict(interaction=dict(structure='dense')))
