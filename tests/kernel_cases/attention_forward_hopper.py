"""Cases of attention_forward_hopper.cu."""

from kernel_cases.attention import attention_cases

CASES, TINY = attention_cases("attention_forward_hopper")
