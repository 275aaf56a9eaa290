# loses: test_from_onnx
# passes the visible checks: they use float32 only
# %% from_onnx
def from_onnx(W, R, B=None):
    hidden = R.shape[2]
    if B is None:
        B = W.new_zeros(1, 8 * hidden)
    W, R, B = ((t if t.dtype == torch.float64 else t.float()) for t in (W, R, B))
    at = [0, 2, 3, 1]
    rows = torch.cat([torch.arange(hidden) + hidden * k for k in at])
    return {"weight_ih": W[0][rows], "weight_hh": R[0][rows],
            "bias_ih": B[0, :4 * hidden][rows], "bias_hh": B[0, 4 * hidden:][rows]}
