# expect: exposed wholly
# means: The rank was returned: exposure is log2 R - log2 rank.
def exposure(log_probs, secret):
    return float((log_probs >= log_probs[secret]).sum())
