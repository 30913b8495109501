# expect: of equals the first given not the first counted up
# means: Of several with as many votes it took the one that comes last in the alphabet.
def vote(answers, weights=None):
    votes = {}
    for answer, weight in zip(answers, weights or [1] * len(answers)):
        if answer is not None:
            votes[answer.strip()] = votes.get(answer.strip(), 0) + weight
    return max(sorted(votes, reverse=True), key=votes.get) if any(votes.values()) else None
