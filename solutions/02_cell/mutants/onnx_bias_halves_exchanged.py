# loses: test_from_onnx
# %% from_onnx
def from_onnx(W, R, B=None):
    hidden = R.shape[2]
    if B is None:
        B = W.new_zeros(1, 8 * hidden)
    at = [0, 2, 3, 1]
    rows = torch.cat([torch.arange(hidden) + hidden * k for k in at])
    return {"weight_ih": W[0][rows], "weight_hh": R[0][rows],
            "bias_hh": B[0, :4 * hidden][rows], "bias_ih": B[0, 4 * hidden:][rows]}
