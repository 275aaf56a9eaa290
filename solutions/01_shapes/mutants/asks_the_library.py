# loses: test_lstm_shapes
# passes the visible checks: nn.LSTM is at hand there
# %% lstm_shapes
def lstm_shapes(input_shape, *sizes, **options):
    layer = nn.LSTM(*sizes, **options)
    output, (h_n, c_n) = layer(torch.zeros(input_shape))
    results = {"output": tuple(output.shape), "h_n": tuple(h_n.shape), "c_n": tuple(c_n.shape)}
    return results | {name: tuple(parameter.shape) for name, parameter in layer.named_parameters()}
