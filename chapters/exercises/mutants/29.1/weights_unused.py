# expect: weights count
# means: The weights were not used: each vote counted 1.
def vote(answers, weights=None):
    votes = {}
    for answer in answers:
        if answer is not None:
            votes[answer.strip()] = votes.get(answer.strip(), 0) + 1
    return max(votes, key=votes.get) if votes else None
