"""tinygrad_llm: a large language model, built by hand."""
