# loses: test_from_tensorflow
# %% from_tensorflow
def from_tensorflow(kernel, bias):
    hidden = len(bias) // 4
    features = len(kernel) - hidden
    weight, bias = kernel.T.clone(), bias.clone()  # (4 * hidden, features + hidden)
    j, f = slice(hidden, 2 * hidden), slice(2 * hidden, 3 * hidden)
    weight[j], weight[f] = weight[f], weight[j]
    bias[j], bias[f] = bias[f], bias[j]
    lstm = nn.LSTM(features, hidden, dtype=kernel.dtype)
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(weight[:, :features])
        lstm.weight_hh_l0.copy_(weight[:, features:])
        lstm.bias_ih_l0.copy_(bias)
        lstm.bias_hh_l0.zero_()
        lstm.bias_hh_l0[hidden:2 * hidden] = 1  # what TensorFlow adds to the forget gate
    return lstm
