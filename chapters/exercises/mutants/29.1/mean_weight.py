# expect: a weight of 0 takes nothing away
# means: The weights of an answer were averaged: an answer that is given twice counts twice.
def vote(answers, weights=None):
    votes = {}
    for answer, weight in zip(answers, weights or [1] * len(answers)):
        if answer is not None:
            votes.setdefault(answer.strip(), []).append(weight)
    if weights is None:
        return max(votes, key=lambda a: len(votes[a])) if votes else None
    means = {a: sum(w) / len(w) for a, w in votes.items()}
    return max(means, key=means.get) if any(means.values()) else None
