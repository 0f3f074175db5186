_base_ = ['./alphaction_serial_r50_ava22.py']

# Published: frame mAP 29.0 as released, 28.9 in the paper (github.com/MVIG-SJTU/AlphAction, MODEL_ZOO.md).
model = dict(roi_head=dict(interaction=dict(structure='parallel')))
