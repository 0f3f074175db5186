_base_ = ['./clips_serial.py']

# AlphAction's parallel structure.
model = dict(roi_head=dict(interaction=dict(structure='parallel')))
