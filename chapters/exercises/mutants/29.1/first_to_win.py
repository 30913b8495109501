# expect: of equals the one that came first
# means: Of equals it took the one that had its votes first, and not the one that was given first.
def vote(answers, weights=None):
    votes, best = {}, None
    for answer, weight in zip(answers, weights or [1] * len(answers)):
        if answer is not None:
            key = answer.strip()
            votes[key] = votes.get(key, 0) + weight
            if votes[key] > votes.get(best, 0):
                best = key
    return best
