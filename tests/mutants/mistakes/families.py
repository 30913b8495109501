"""The families of decoders: Llama and its kin, their files."""

from __future__ import annotations

MISTAKES = [
    # -- attention -----------------------------------------------------------------------------------------------------
    ("nn/attention.py", "q, k = _normed(q, self.q_norm), _normed(k, self.k_norm)", "q = _normed(q, self.q_norm)", "norms of queries alone"),
    ("nn/attention.py", "q, k = _normed(q, self.q_norm), _normed(k, self.k_norm)", "q, k = _normed(q, self.k_norm), _normed(k, self.q_norm)", "the norms of queries and keys exchanged"),
    ("nn/attention.py", "and self.rope_base is None and self.q_norm is None", "and self.rope_base is None", "packed attention passes over the norms"),
    ("nn/attention.py", "self.q_norm = RMSNorm(self.head_size, eps=qk_norm, dtype=dtype)", "self.q_norm = RMSNorm(self.head_size, dtype=dtype)", "the queries' norm has the default epsilon"),
    ("nn/attention.py", "k = _normed(_split(self.k_proj(source), self.n_kv_head), self.k_norm)", "k = _split(self.k_proj(source), self.n_kv_head)", "no norm of another text's keys"),
    ("nn/position.py", "    if positions.min(initial=0) < 0:\n", "    if False:\n", "a position before the first is the last of the table"),
    ("nn/mlp.py", "std=std if out_std is None else out_std, **make)", "std=std, **make)", "SwiGLU: out_std ignored"),
    # -- the decoder ---------------------------------------------------------------------------------------------------
    ("models/decoder.py", "mask=mask, positions=positions, cache=layer", "mask=mask, cache=layer", "positions do not reach the blocks"),
    ("models/llama.py", "self.window if layer >= self.window_from else None", "self.window if layer > self.window_from else None", "the window begins a layer too late"),
    ("models/llama.py", "window=c.window_of(number)", "window=c.window", "every layer has the window"),
    ("models/llama.py", "window = None if c.window_from else c.window", "window = c.window", "the cache forgets what layers without a window see"),
    ("models/llama.py", "window = None if c.window_from else c.window", "window = None", "a cache that never forgets"),
    ("models/llama.py", "rope_base=c.rope_base", "rope_base=10_000.0", "Llama: the base ignored"),
    ("models/llama.py", "c.init_std / math.sqrt(2 * c.n_layer)", "c.init_std", "Llama: residual projections not scaled"),
    ("models/llama.py", '"dropout": c.dropout, ', "", "Llama: the rate does not reach the blocks"),
    ("models/llama.py", "self.norm = RMSNorm(c.n_embd, eps=c.norm_eps, dtype=dtype)", "self.norm = RMSNorm(c.n_embd, dtype=dtype)", "Llama: the last norm has the default epsilon"),
    ("models/llama.py", "qk_norm=c.norm_eps if c.qk_norm else None", "qk_norm=1e-6 if c.qk_norm else None", "Llama: the heads' norms have an epsilon of their own"),
    ("models/llama.py", "                object.__setattr__(self, name, None)", "                pass", "equal models with different configurations"),
    # -- files ---------------------------------------------------------------------------------------------------------
    ("models/layout.py", "changed(config, self.given) == config", "True", "written as the first architecture of the class"),
    ("models/layout.py", "len(array) != said[0] * said[1]", "False", "heads that the tensors do not have"),
    ("models/layouts/llama.py", 'said["rope_theta"] = new.get("rope_theta", said.get("rope_theta"))', 'said["rope_theta"] = said.get("rope_theta")', "the base of the newer form ignored"),
    ("models/layouts/llama.py", 'said.get("rope_scaling") not in (None, new)', "False", "of two scalings one wins"),
    ("models/layouts/llama.py", 'if not windowed or said.get("sliding_window", 0) is None:', 'if said.get("sliding_window", 0) is None:', "a window although use_sliding_window denies it"),
    ("models/layouts/llama.py", '            said["max_window_layers"] = first', "            pass", "layer_types ignored"),
    ("models/layouts/llama.py", '("silu", "swish")', '("silu", "swish", "gelu")', "another activation accepted"),
]  # fmt: skip
