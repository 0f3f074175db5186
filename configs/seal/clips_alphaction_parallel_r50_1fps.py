_base_ = ['./clips_alphaction_serial_r50_1fps.py']

# AlphAction, people, objects and memory side by side.
# SEAL, Table 3, 1 box per second, variant not named: frame mAP top50 81.02, top50-100 69.75, top150 67.49.
model = dict(roi_head=dict(interaction=dict(structure='parallel')))
