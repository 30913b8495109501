# expect: weights of one answer add up
# means: It took the answer with the largest single weight: the weights of one answer are added up.
def vote(answers, weights=None):
    if weights is None:
        weights = [1] * len(answers)
        votes = {}
        for answer in answers:
            if answer is not None:
                votes[answer.strip()] = votes.get(answer.strip(), 0) + 1
        return max(votes, key=votes.get) if votes else None
    given = {}
    for answer, weight in zip(answers, weights):
        if answer is not None:
            given[answer.strip()] = max(given.get(answer.strip(), 0), weight)
    return max(given, key=given.get) if any(given.values()) else None
