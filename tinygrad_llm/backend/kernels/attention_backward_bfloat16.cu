// after: attention_mma.cuh attention_tiles.cuh attention_backward_bfloat16.cuh
//
// attention_backward_keys_bfloat16_HEAD and attention_backward_queries_bfloat16_HEAD for every GPU since sm_80.

#if __CUDA_ARCH__ >= 800 || defined(CUDA_ON_CPU)

ATTENTION_BACKWARD(32, false, bfloat16_32)
ATTENTION_BACKWARD(64, false, bfloat16_64)
ATTENTION_BACKWARD(128, false, bfloat16_128)
ATTENTION_BACKWARD(32, true, bfloat16_32_dropout)
ATTENTION_BACKWARD(64, true, bfloat16_64_dropout)
ATTENTION_BACKWARD(128, true, bfloat16_128_dropout)

#endif
