# expect: of equals the one that came first
# means: Of several with as many votes it took the one that was given last.
def vote(answers, weights=None):
    votes = {}
    for answer, weight in zip(answers, weights or [1] * len(answers)):
        if answer is not None:
            votes[answer.strip()] = votes.get(answer.strip(), 0) + weight
    order = list(votes)
    return max(reversed(order), key=votes.get) if any(votes.values()) else None
