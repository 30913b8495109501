# expect: white space does not matter
# means: Answers that differ in the white space around them are counted apart.
def vote(answers, weights=None):
    votes = {}
    for answer, weight in zip(answers, weights or [1] * len(answers)):
        if answer is not None:
            votes[answer] = votes.get(answer, 0) + weight
    return max(votes, key=votes.get) if any(votes.values()) else None
