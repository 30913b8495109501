"""Cases of attention_forward_float32.cu."""

from kernel_cases.attention import attention_cases

CASES, TINY = attention_cases("attention_forward_float32")
