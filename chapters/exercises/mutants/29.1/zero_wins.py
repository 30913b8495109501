# expect: votes that count nothing
# means: An answer whose votes all count 0 has won.
def vote(answers, weights=None):
    votes = {}
    for answer, weight in zip(answers, weights or [1] * len(answers)):
        if answer is not None:
            votes[answer.strip()] = votes.get(answer.strip(), 0) + weight
    return max(votes, key=votes.get) if votes else None
