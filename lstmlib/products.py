"""Matrix products for the fused backend, by the faster of the two libraries that torch has on a CPU.

torch gives float32 products to MKL and LSTM layers to oneDNN. Where oneDNN is the faster of the two (AMD), that is most
of what a layer made of plain products loses against `torch.nn.LSTM`. Tensors in torch's mkldnn layout go to oneDNN; the
way there and back has its price, so small products stay where they are.
"""

import torch
from torch.nn import functional as F

SMALL = 2**22  # multiplications in a product that is not worth the way,
NARROW = 256  # nor is one that does fewer of them for each number of the result


class Product:
    """rows @ weight.t() + bias, for rows (n, width) like those given, the weight (out, width) made ready once."""

    def __init__(self, weight, like, bias=None):
        weight = weight.detach()  # a plain tensor, no Parameter
        self.onednn = goes_to_onednn(weight, like.detach())
        self.weight = weight.contiguous().to_mkldnn() if self.onednn else weight.t()
        self.bias = bias

    def __call__(self, rows):
        """The product and the bias, a new tensor (n, out)."""
        if self.onednn:
            return F.linear(rows.contiguous().to_mkldnn(), self.weight, self.bias).to_dense()
        return rows @ self.weight if self.bias is None else torch.addmm(self.bias, rows, self.weight)

    def add(self, base, rows, out):
        """Write base + the product into `out` (n, out), which may be `base`."""
        if self.onednn:
            return torch.add(base, self(rows), out=out)
        return torch.addmm(base, rows, self.weight, out=out)


def goes_to_onednn(weight, like):
    """Whether a product with rows `like` these is large enough, and of the kind, for oneDNN."""
    return (
        len(like) * weight.numel() > SMALL
        and weight.size(1) >= NARROW
        and type(like) is type(weight) is torch.Tensor  # no subclass, whose operators may not know the layout
        and weight.dtype == torch.float32
        and weight.device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and torch.backends.mkldnn.enabled
    )
