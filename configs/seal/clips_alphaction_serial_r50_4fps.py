_base_ = ['./clips_alphaction_serial_r50_1fps.py']

# SEAL, Table 3, 4 boxes per second, variant not named: frame mAP top50 81.63, top50-100 70.64, top150 68.15.
train_dataloader = dict(dataset=dict(boxes_per_s=4))
val_dataloader = dict(dataset=dict(boxes_per_s=4))
test_dataloader = val_dataloader
