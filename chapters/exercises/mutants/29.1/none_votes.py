# expect: who says nothing has no vote
# means: None was counted as an answer: who says nothing has no vote.
def vote(answers, weights=None):
    votes = {}
    for answer, weight in zip(answers, weights or [1] * len(answers)):
        key = answer.strip() if answer is not None else None
        votes[key] = votes.get(key, 0) + weight
    return max(votes, key=votes.get) if any(votes.values()) else None
