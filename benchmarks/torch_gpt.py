"""The same GPT in PyTorch, the way PyTorch does it best: SDPA, fused AdamW. The other side of the comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """Names and shapes of GPT-2; `renamed` makes them of ours."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.p = heads, dropout
        self.ln_1 = nn.LayerNorm(width, bias=False)
        self.attn = nn.ModuleDict(
            {"c_attn": nn.Linear(width, 3 * width, bias=False), "c_proj": nn.Linear(width, width, bias=False)}
        )
        self.ln_2 = nn.LayerNorm(width, bias=False)
        self.mlp = nn.ModuleDict(
            {"c_fc": nn.Linear(width, 4 * width, bias=False), "c_proj": nn.Linear(4 * width, width, bias=False)}
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, time, width = x.shape
        parts = self.attn["c_attn"](self.ln_1(x)).split(width, dim=2)
        q, k, v = (part.view(batch, time, self.heads, -1).transpose(1, 2) for part in parts)
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=self.p, is_causal=True)
        x = x + dropped(self.attn["c_proj"](y.transpose(1, 2).reshape(batch, time, width)), self.p)
        return x + dropped(self.mlp["c_proj"](F.gelu(self.mlp["c_fc"](self.ln_2(x)), approximate="tanh")), self.p)


NAMES = (
    ("token_embedding", "wte"), ("position_embedding", "wpe"), ("blocks.", "h."), ("norm_", "ln_"),
    ("attention.", "attn."), ("o_proj", "c_proj"), ("up_proj", "c_fc"), ("down_proj", "c_proj"),
)  # fmt: skip


def renamed(weights: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Weights of tinygrad_llm.models.GPT by GPT-2's names; its queries, keys and values are one layer there."""
    found: dict[str, np.ndarray] = {}
    for name, array in weights.items():
        if name.endswith(("k_proj.weight", "v_proj.weight")):
            continue
        if name.endswith("q_proj.weight"):
            array = np.concatenate([weights[name.replace("q_proj", f"{part}_proj")] for part in "qkv"])
            name = name.replace("q_proj", "c_attn")
        for ours, theirs in NAMES:
            name = name.replace(ours, theirs)
        found["ln_f.weight" if name == "norm.weight" else name] = array
    return {name: torch.from_numpy(np.array(array)) for name, array in found.items()}


def dropped(x: torch.Tensor, p: float) -> torch.Tensor:
    """Dropout, where there is any."""
    return F.dropout(x, p) if p else x


class GPT(nn.Module):
    """forward(tokens, targets) is the mean loss."""

    def __init__(
        self, vocab_size: int, block_size: int, n_layer: int, n_head: int, n_embd: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.p = dropout
        self.wte, self.wpe = nn.Embedding(vocab_size, n_embd), nn.Embedding(block_size, n_embd)
        self.h = nn.ModuleList(Block(n_embd, n_head, dropout) for _ in range(n_layer))
        self.ln_f = nn.LayerNorm(n_embd, bias=False)

    def forward(self, tokens: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        x = dropped(self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1], device=tokens.device)), self.p)
        for block in self.h:
            x = block(x)
        logits = F.linear(self.ln_f(x), self.wte.weight)
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))


def fused_adamw(model: GPT, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.99)) -> torch.optim.AdamW:
    """In one kernel for all; decay for matrices only."""
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": 0.1},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=lr, betas=betas, fused=True)


class Trainer:
    """step(tokens, targets) -> loss, with clipping and fused AdamW; decay for matrices only."""

    def __init__(self, config: dict, weights: dict, threads: int, compiled: bool) -> None:
        torch.set_num_threads(threads)
        self.model = GPT(**config)
        self.model.load_state_dict(renamed(weights))
        self.call = torch.compile(self.model) if compiled else self.model
        self.optimizer = fused_adamw(self.model)

    def step(self, tokens, targets) -> float:
        loss = self.call(torch.from_numpy(tokens), torch.from_numpy(targets))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()


class DeviceTrainer:
    """A step on a GPU in bfloat16 by autocast; nothing waits for the GPU until `loss()`."""

    def __init__(self, config: dict, weights: dict, compiled: bool, device: str = "cuda") -> None:
        torch.set_float32_matmul_precision("high")
        self.device = device
        self.model = GPT(**config)
        self.model.load_state_dict(renamed(weights))
        self.model.to(device)
        self.call: Any = torch.compile(self.model) if compiled else self.model
        self.optimizer = fused_adamw(self.model)
        self.last = torch.zeros(())

    def step(self, tokens, targets) -> None:
        """Asks for one step on arrays of the host."""
        x, y = (self._upload(a) for a in (tokens, targets))
        with torch.autocast(self.device, torch.bfloat16):
            loss = self.call(x, y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.last = loss.detach()

    def loss(self) -> float:
        """The last step's, waited for."""
        return self.last.item()

    def _upload(self, array) -> torch.Tensor:
        tensor = torch.from_numpy(array)
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.device == "cuda" else tensor


class CachedLoop:
    """Writing with a preallocated cache of keys and values, SDPA, and PyTorch's own draw; one token a row and step."""

    def __init__(self, model: GPT, batch: int, length: int) -> None:
        table = model.wte.weight
        self.model, self.batch, self.length, self.width = model.eval(), batch, length, table.shape[1]
        self.heads = model.h[0].heads
        shape = (batch, self.heads, length, self.width // self.heads)
        self.keys, self.values = ([torch.zeros(shape, device=table.device) for _ in model.h] for _ in range(2))

    @torch.inference_mode()
    def write(self, start: int = 0) -> int:
        """length - 1 tokens a row behind `start`; how many in all, once they are on the host."""
        ids, written = torch.full((self.batch, 1), start, device=self.model.wte.weight.device), []
        for t in range(self.length - 1):
            ids = torch.multinomial(torch.softmax(self.step(ids, t), -1), 1)
            written.append(ids)
        return torch.cat(written, 1).cpu().numpy().size

    def step(self, ids: torch.Tensor, t: Any) -> torch.Tensor:
        """Logits (B, V) of the token after position t."""
        model = self.model
        x = model.wte(ids) + model.wpe.weight[t]
        for block, keys, values in zip(model.h, self.keys, self.values):
            parts = block.attn["c_attn"](block.ln_1(x)).split(self.width, dim=2)
            q, k, v = (part.view(self.batch, 1, self.heads, -1).transpose(1, 2) for part in parts)
            y = self.attend(q, k, v, keys, values, t)
            x = x + block.attn["c_proj"](y.transpose(1, 2).reshape(self.batch, 1, self.width))
            x = x + block.mlp["c_proj"](F.gelu(block.mlp["c_fc"](block.ln_2(x)), approximate="tanh"))
        return F.linear(model.ln_f(x), model.wte.weight)[:, -1]

    def attend(self, q, k, v, keys, values, t) -> torch.Tensor:
        """What the token at position t sees of all up to itself.  q, k, v (B, H, 1, K), the caches (B, H, T, K)"""
        keys[:, :, t : t + 1], values[:, :, t : t + 1] = k, v
        return F.scaled_dot_product_attention(q, keys[:, :, : t + 1], values[:, :, : t + 1])


class CompiledLoop(CachedLoop):
    """The same with one compiled step whose shapes never change, which "reduce-overhead" replays as a CUDA graph.

    The position is a tensor, (1,). A step goes over the whole cache, and what lies behind the position is masked. One
    query a row needs no product of matrices: written as two sums, attention is a few kernels that the compiler makes.
    The draw is part of the step: the largest of logits - ln e with e exponential is a token drawn from their softmax,
    and asks the host for nothing, as `torch.multinomial` does.

    compiling  what torch.compile is told besides.
    """

    def __init__(self, model: GPT, batch: int, length: int, **compiling: Any) -> None:
        super().__init__(model, batch, length)
        self.places = torch.arange(length, device=model.wte.weight.device)
        for array in (*self.keys, *self.values, self.places):  # where they are a graph may read and write them;
            torch._dynamo.mark_static_address(array)  # what may lie elsewhere is copied first, and not written
        self.next: Any = torch.compile(self.drawn, fullgraph=True, dynamic=False, **compiling)

    @torch.no_grad()
    def write(self, start: int = 0) -> int:
        """length - 1 tokens a row behind `start`; how many in all, once they are on the host."""
        device, written = self.places.device, []
        ids, t = torch.full((self.batch, 1), start, device=device), torch.zeros(1, dtype=torch.long, device=device)
        for _ in range(self.length - 1):
            torch.compiler.cudagraph_mark_step_begin()
            ids = self.next(ids, t).clone()  # the next replay writes over it
            t += 1
            written.append(ids)
        return torch.cat(written, 1).cpu().numpy().size

    def drawn(self, ids: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """The token after position t, (B, 1)."""
        logits = self.step(ids, t)
        return torch.argmax(logits - torch.empty_like(logits).exponential_().log(), -1, keepdim=True)

    def attend(self, q, k, v, keys, values, t) -> torch.Tensor:
        """The same over the whole cache."""
        keys.index_copy_(2, t, k)
        values.index_copy_(2, t, v)
        scores = (q * keys).sum(-1) * q.shape[-1] ** -0.5  # (B, H, T)
        weights = torch.softmax(scores.masked_fill(self.places > t, float("-inf")), -1)
        return (weights.unsqueeze(-1) * values).sum(2, keepdim=True)


def like(model: Any) -> GPT:
    """A GPT in PyTorch with the weights of one of ours."""
    c = model.config
    theirs = GPT(c.vocab_size, c.block_size, c.n_layer, c.n_head, c.n_embd)
    theirs.load_state_dict(renamed({name: p.numpy() for name, p in model.named_parameters()}))
    return theirs
