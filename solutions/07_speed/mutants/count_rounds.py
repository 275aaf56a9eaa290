# loses: test_count
# passes the visible checks: they compare four digits
# %% count
def count(time, batch, input_size, hidden_size, num_layers=1, bidirectional=False, itemsize=4):
    """What one pass of an LSTM takes: a dict of multiply-adds, bytes (of itemsize per number) and multiply-adds per byte."""
    directions = 2 if bidirectional else 1
    rows = 4 * hidden_size
    multiply_adds = parameters = 0
    for layer in range(num_layers):
        width = input_size if layer == 0 else directions * hidden_size
        weights = rows * (width + hidden_size)
        multiply_adds += directions * time * batch * weights
        parameters += directions * (weights + 2 * rows)
    inputs = time * batch * input_size
    kept = num_layers * directions * time * batch * 6 * hidden_size + inputs

    def intensity(n, k, m):
        return round(n * k * m / ((n * k + k * m + n * m) * itemsize), 5)

    return {
        "multiply_adds": multiply_adds,
        "parameter_bytes": parameters * itemsize,
        "kept_bytes": kept * itemsize,
        "index_bytes": time * inputs * itemsize,
        "recurrent_intensity": intensity(batch, hidden_size, rows),
        "input_intensity": intensity(time * batch, input_size, rows),
    }
