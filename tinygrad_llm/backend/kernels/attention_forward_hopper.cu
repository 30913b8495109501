// after: attention_wgmma.cuh attention_tiles.cuh attention_forward_bfloat16.cuh
//
// attention_forward_hopper_HEAD: attention_forward_bfloat16_HEAD by Hopper's own instructions.

#if defined(__CUDA_ARCH_FEAT_SM90_ALL) || defined(CUDA_ON_CPU)

ATTENTION_FORWARD(64, false, hopper_64)
ATTENTION_FORWARD(128, false, hopper_128)
ATTENTION_FORWARD(64, true, hopper_64_dropout)
ATTENTION_FORWARD(128, true, hopper_128_dropout)

#endif
