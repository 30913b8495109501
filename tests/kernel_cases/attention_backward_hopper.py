"""Cases of attention_backward_hopper.cu."""

from kernel_cases.attention import attention_cases

CASES, TINY = attention_cases("attention_backward_hopper")
