"""The module test inputs that ship inside torch, run on our classes: valid ones and those that must fail."""

import warnings

import pytest
import torch

import lstmlib

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch's test modules touch deprecated things of torch itself
    from torch.testing._internal import common_modules

OURS = {torch.nn.LSTM: lstmlib.LSTM, torch.nn.LSTMCell: lstmlib.LSTMCell, torch.nn.GRUCell: lstmlib.GRUCell}
INFOS = [info for info in common_modules.module_db if info.module_cls in OURS]
DTYPES = [torch.float32, torch.float64]


def samples(function, info, dtype, training=True):
    made = function(info, device="cpu", dtype=dtype, requires_grad=True, training=training)
    return list(made)


def build(info, sample, dtype):
    args, kwargs = sample.constructor_input.args, sample.constructor_input.kwargs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return OURS[info.module_cls](*args, **{"device": "cpu", "dtype": dtype} | kwargs)


def test_all_three_are_there():
    assert {info.module_cls for info in INFOS} == set(OURS)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN:UserWarning")  # torch's own
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.name)
def test_valid(info, dtype, training):
    found = samples(info.module_inputs_func, info, dtype, training)
    assert found
    for sample in found:
        module = build(info, sample, dtype).train(training)
        args, kwargs = sample.forward_input.args, sample.forward_input.kwargs
        output = module(*args, **kwargs)
        theirs = info.module_cls(*sample.constructor_input.args, **sample.constructor_input.kwargs, dtype=dtype)
        theirs.load_state_dict(module.state_dict())
        torch.testing.assert_close(output, theirs(*args, **kwargs))
        if sample.reference_fn is not None:
            torch.testing.assert_close(output, sample.reference_fn(module, *args, **kwargs))


@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.name)
def test_gradients(info):
    for sample in samples(info.module_inputs_func, info, torch.float64):
        module = build(info, sample, torch.float64)
        flat, spec = torch.utils._pytree.tree_flatten((sample.forward_input.args, dict(module.named_parameters())))

        def run(*flat):
            args, parameters = torch.utils._pytree.tree_unflatten(flat, spec)
            found = torch.func.functional_call(module, parameters, args)
            return tuple(torch.utils._pytree.tree_leaves(found))

        assert torch.autograd.gradcheck(run, flat, fast_mode=True, check_batched_grad=True)  # as torch's own tests


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("info", [info for info in INFOS if info.module_error_inputs_func], ids=lambda info: info.name)
def test_errors(info, dtype):
    found = samples(info.module_error_inputs_func, info, dtype)
    assert found
    for error in found:
        sample = error.module_error_input
        if error.error_on == common_modules.ModuleErrorEnum.CONSTRUCTION_ERROR:
            with pytest.raises(error.error_type, match=error.error_regex):
                build(info, sample, dtype)
            continue
        module = build(info, sample, dtype)
        with pytest.raises(error.error_type, match=error.error_regex):
            module(*sample.forward_input.args, **sample.forward_input.kwargs)
