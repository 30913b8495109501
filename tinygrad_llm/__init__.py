"""tinygrad_llm: a large language model, built by hand.

Tensors and their derivatives, layers, optimizers, tokenizers, models, training and sampling, in Python on NumPy. Each
folder stands on those above it in this list, and each file can be read on its own:

    errors, extras, shapes, backend, autograd, ops, nn, optim, tokenizer, datasets, models, visualize, train, generate,
    evaluate, finetune, course, cli

The names that a reader needs first are here: `Tensor`, `no_grad`, `gradcheck`, `op`, `ops`, `nn`.
"""

from tinygrad_llm import nn, ops
from tinygrad_llm.autograd import Tensor, gradcheck, no_grad
from tinygrad_llm.autograd.op import op
from tinygrad_llm.nn import Module, Parameter

__version__ = "0.1.0"
__all__ = ["Module", "Parameter", "Tensor", "gradcheck", "nn", "no_grad", "op", "ops"]
