# loses: test_count
# passes the visible checks: their stack has one direction, their two directions one layer
# %% count
def count(time, batch, input_size, hidden_size, num_layers=1, bidirectional=False, itemsize=4):
    directions = 1 + bidirectional
    products = weights = biases = 0
    for layer in range(num_layers):
        width = input_size if layer == 0 else hidden_size
        one = 4 * hidden_size * width + 4 * hidden_size * hidden_size
        products += time * batch * one * directions
        weights += one * directions
        biases += 8 * hidden_size * directions
    x = time * batch * input_size
    gates = 4 * time * batch * hidden_size * num_layers * directions
    states = 2 * time * batch * hidden_size * num_layers * directions
    moved_h = batch * hidden_size + 4 * hidden_size ** 2 + batch * 4 * hidden_size
    moved_x = time * batch * input_size + 4 * hidden_size * input_size + time * batch * 4 * hidden_size
    return {
        "multiply_adds": products,
        "parameter_bytes": (weights + biases) * itemsize,
        "kept_bytes": (gates + states + x) * itemsize,
        "index_bytes": time * x * itemsize,
        "recurrent_intensity": batch * 4 * hidden_size ** 2 / (moved_h * itemsize),
        "input_intensity": x * 4 * hidden_size / (moved_x * itemsize),
    }
