"""Ways to fill an LSTM's weights, for torch's modules and this library's alike. Each changes the module in place."""

import torch
from torch import nn


def uniform_(module, generator=None):
    """Every parameter from U(-k, k), k = 1 / sqrt(hidden_size): torch's own, from a generator of your choice."""
    k = module.hidden_size**-0.5
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-k, k, generator=generator)
    return module


def forget_bias_(module, value=1.0):
    """The forget gate's bias to `value`: all of it in bias_ih, zero in bias_hh, since the two are added.

    A cell that starts with open forget gates keeps its gradient (Gers et al. 2000, Jozefowicz et al. 2015). Raises
    ValueError for a module without biases, and for one whose gates are not i, f, g, o.
    """
    biases = _biases(module)
    if not biases:
        raise ValueError("forget_bias_ needs the biases bias_ih and bias_hh, got a module built with bias=False")
    with torch.no_grad():
        for name, (_, f, _, _) in biases.items():
            f.fill_(value if name.startswith("bias_ih") else 0.0)
    return module


def chrono_(module, longest, generator=None):
    """Forget gates that last 1 to `longest` steps, each unit its own: b_f = ln U(1, longest - 1), and b_i = -b_f.

    As in `forget_bias_`, all of it in bias_ih and zero in bias_hh. Raises ValueError for a module without biases, or if
    `longest` is not more than 2 steps (Tallec & Ollivier 2018).
    """
    if longest <= 2:
        raise ValueError(f"chrono_ needs the longest lag in steps, more than 2, got {longest}")
    forget_bias_(module, 0.0)
    with torch.no_grad():
        for name, (i, f, _, _) in _biases(module).items():
            if name.startswith("bias_ih"):
                f.uniform_(1, longest - 1, generator=generator).log_()
            i.copy_(-f)
    return module


def orthogonal_(module, generator=None):
    """Each gate's block of weight_hh orthogonal, of weight_ih Xavier uniform; biases zero (Saxe et al. 2014)."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            for block in parameter.split(module.hidden_size) if name.startswith("weight_") else [parameter]:
                if name.startswith("weight_hh"):
                    nn.init.orthogonal_(block, generator=generator)
                elif name.startswith("weight_"):
                    nn.init.xavier_uniform_(block, generator=generator)
                elif name.startswith("bias_"):
                    block.zero_()
    return module


def _biases(module):
    """The blocks i, f, g, o of each bias_ih and bias_hh, by name; a variant may have other biases beside them."""
    found = {}
    for name, value in module.named_parameters():
        if name.startswith(("bias_ih", "bias_hh")):
            if len(value) % (4 * module.hidden_size):
                rows = f"{len(value)} rows at hidden_size={module.hidden_size}"
                raise ValueError(f"{name} should hold the gates i, f, g, o, got {rows}: is there a forget gate?")
            found[name] = value.detach().chunk(4)
    return found
