// after: attention_wgmma.cuh attention_tiles.cuh attention_backward_bfloat16.cuh
//
// attention_backward_keys_hopper_HEAD and attention_backward_queries_hopper_HEAD: those of bfloat16 by Hopper's own
// instructions.

#if defined(__CUDA_ARCH_FEAT_SM90_ALL) || defined(CUDA_ON_CPU)

ATTENTION_BACKWARD(64, false, hopper_64)
ATTENTION_BACKWARD(128, false, hopper_128)
ATTENTION_BACKWARD(64, true, hopper_64_dropout)
ATTENTION_BACKWARD(128, true, hopper_128_dropout)

#endif
