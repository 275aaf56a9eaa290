# loses: test_lstm_shapes
# passes the visible checks: their projection is 3 wide
# %% lstm_shapes
def lstm_shapes(input_shape, input_size, hidden_size, num_layers=1, bias=True, batch_first=False,
                dropout=0.0, bidirectional=False, proj_size=0):
    """The shape of output, h_n, c_n and each parameter, by name, of nn.LSTM on an input of this shape."""
    suffixes = ["", "_reverse"] if bidirectional else [""]
    shown = proj_size if proj_size > 1 else hidden_size  # the width of h
    batch = () if len(input_shape) == 2 else (input_shape[0 if batch_first else 1],)
    states = num_layers * len(suffixes)
    found = {
        "output": (*input_shape[:-1], len(suffixes) * shown),
        "h_n": (states, *batch, shown),
        "c_n": (states, *batch, hidden_size),
    }
    for layer in range(num_layers):
        read = len(suffixes) * shown if layer else input_size
        for suffix in suffixes:
            place = f"_l{layer}{suffix}"
            found["weight_ih" + place] = 4 * hidden_size, read
            found["weight_hh" + place] = 4 * hidden_size, shown
            if bias:
                found["bias_ih" + place] = found["bias_hh" + place] = (4 * hidden_size,)
            if proj_size > 1:
                found["weight_hr" + place] = proj_size, hidden_size
    return found
