# expect: the largest answer is no better
# means: It took the largest answer, and not the one that was given most often.
def vote(answers, weights=None):
    return max((a.strip() for a in answers if a is not None), default=None)
