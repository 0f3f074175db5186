_base_ = ['./alphaction_serial_r50_ava22.py']

# Published: frame mAP 30.0 as released, 29.8 in the paper (github.com/MVIG-SJTU/AlphAction, MODEL_ZOO.md).
model = dict(roi_head=dict(interaction=dict(structure='dense')))
