// after: attention_mma.cuh attention_tiles.cuh attention_forward_bfloat16.cuh
//
// attention_forward_bfloat16_HEAD for every GPU since sm_80.

#if __CUDA_ARCH__ >= 800 || defined(CUDA_ON_CPU)

ATTENTION_FORWARD(32, false, bfloat16_32)
ATTENTION_FORWARD(64, false, bfloat16_64)
ATTENTION_FORWARD(128, false, bfloat16_128)
ATTENTION_FORWARD(32, true, bfloat16_32_dropout)
ATTENTION_FORWARD(64, true, bfloat16_64_dropout)
ATTENTION_FORWARD(128, true, bfloat16_128_dropout)

#endif
