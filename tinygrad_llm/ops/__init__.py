"""Operations on tensors, each written with its derivative. `composed` holds the readable form of the fused ones."""

from tinygrad_llm.ops import composed
from tinygrad_llm.ops.activation import erf, gelu, log_sigmoid, relu, sigmoid, silu, softplus, swiglu, tanh
from tinygrad_llm.ops.attention import attention, packed_attention
from tinygrad_llm.ops.compare import (
    argmax,
    argmin,
    argsort,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    not_equal,
)
from tinygrad_llm.ops.dropout import dropout
from tinygrad_llm.ops.einsum import einsum
from tinygrad_llm.ops.elementwise import (
    absolute,
    add,
    astype,
    clip,
    cos,
    divide,
    exp,
    floor_divide,
    log,
    log1p,
    masked_fill,
    maximum,
    minimum,
    multiply,
    negative,
    power,
    remainder,
    rsqrt,
    sign,
    sin,
    sqrt,
    subtract,
    where,
)
from tinygrad_llm.ops.grouped_linear import grouped_linear
from tinygrad_llm.ops.index import embedding, gather, getitem, repeat, sort, topk, tril, triu
from tinygrad_llm.ops.joint_linear import joint_linear
from tinygrad_llm.ops.loss import IGNORE, binary_cross_entropy, cross_entropy, kl_divergence, linear_cross_entropy, mse
from tinygrad_llm.ops.matmul import linear, matmul
from tinygrad_llm.ops.norm import layer_norm, rms_norm
from tinygrad_llm.ops.recurrent import gru, lstm, rnn
from tinygrad_llm.ops.reduce import amax, amin, cumsum, logsumexp, max, mean, min, prod, std, sum, var
from tinygrad_llm.ops.rope import rope, rope_table
from tinygrad_llm.ops.shape import (
    broadcast_to,
    concat,
    expand_dims,
    flatten,
    flip,
    pad,
    reshape,
    split,
    squeeze,
    stack,
    swapaxes,
    transpose,
)
from tinygrad_llm.ops.softmax import log_softmax, softmax

__all__ = [
    "IGNORE", "absolute", "add", "amax", "amin", "argmax", "argmin", "argsort", "astype", "attention",
    "binary_cross_entropy", "bitwise_and", "bitwise_not", "bitwise_or", "broadcast_to", "clip", "composed",
    "concat", "cos", "cross_entropy", "cumsum", "divide", "dropout", "einsum", "embedding", "equal", "erf", "exp",
    "expand_dims", "flatten", "flip", "floor_divide", "gather", "gelu", "getitem", "greater", "greater_equal",
    "grouped_linear", "gru", "joint_linear", "kl_divergence", "layer_norm", "less", "less_equal", "linear",
    "linear_cross_entropy", "log", "log1p", "log_sigmoid", "log_softmax", "logsumexp", "lstm", "masked_fill",
    "matmul", "max", "maximum", "mean", "min", "minimum", "mse", "multiply", "negative", "not_equal",
    "packed_attention", "pad", "power", "prod", "relu", "remainder", "repeat", "reshape", "rms_norm", "rnn", "rope",
    "rope_table", "rsqrt", "sigmoid", "sign", "silu", "sin", "softmax", "softplus", "sort", "split", "sqrt",
    "squeeze", "stack", "std", "subtract", "sum", "swapaxes", "swiglu", "tanh", "topk", "transpose", "tril", "triu",
    "var", "where",
]  # fmt: skip
