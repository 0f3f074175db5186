_base_ = ['slowfast_t.py']

# The same network on whole frames, for ActivityNet and HACS, which have no boxes (SEAL, Sec. 5.2).
model = dict(stream='slowfast_r50_frame', roi=None)
