"""Better data: the crawl, filters, copies, private data, test items, what is known by heart."""

from __future__ import annotations

MISTAKES = [
    # filters
    (
        "datasets/filters.py",
        "            again[i : i + n] = [True] * n\n",
        "            again[i] = True\n",
        "of a run that comes again one word is marked",
    ),
    (
        "datasets/filters.py",
        "        if run in seen:\n            again[i : i + n] = [True] * n\n        seen.add(run)\n",
        "        if run in seen:\n            again[i : i + n] = [True] * n\n        seen.add(run[:1])\n",
        "runs are remembered by their first word",
    ),
    (
        "datasets/filters.py",
        "    if most < 2:\n        return 0.0\n",
        "",
        "a run that occurs once counts as repetition",
    ),
    (
        "datasets/filters.py",
        "        return self.least <= self.measure(text) <= self.most\n",
        "        return self.least < self.measure(text) < self.most\n",
        "a page on a rule's threshold is dropped",
    ),
    (
        "datasets/filters.py",
        '    return len(STOP_WORDS & set(re.findall(r"[^\\W\\d_]+", text.lower())))\n',
        '    return sum(word in STOP_WORDS for word in re.findall(r"[^\\W\\d_]+", text.lower()))\n',
        "a stop word counts as often as it stands there",
    ),
    (
        "datasets/filters.py",
        '    return max(text.count("#"), ellipses) / max(1, word_count(text))\n',
        '    return (text.count("#") + ellipses) / max(1, word_count(text))\n',
        "hashes and ellipses are added up",
    ),
    (
        "datasets/filters.py",
        "prose = line.endswith(ENDS) and not line.endswith(ELLIPSES) and",
        "prose = line.endswith(ENDS) and",
        "a line that breaks off is kept as prose",
    ),
    (
        "datasets/filters.py",
        "    low = line.lower()\n",
        "    low = line\n",
        "lines about Javascript and policies are known in lower case alone",
    ),
    (
        "datasets/filters.py",
        "    return 1 - len(set(lines)) / len(lines) if lines else 0.0\n",
        "    return len(set(lines)) / len(lines) if lines else 0.0\n",
        "the share of lines that are new is taken for that of lines again",
    ),
    (
        "datasets/filters.py",
        "_share(any(letter.isalpha() for letter in word)",
        "_share(all(letter.isalpha() for letter in word)",
        "a word with a full stop has no letters",
    ),
    # copies
    (
        "datasets/dedup.py",
        "a = rng.integers(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)",
        "a = rng.integers(0, 1 << 32, count, dtype=np.uint32)",
        "an even a: the map is not one to one",
    ),
    ("datasets/dedup.py", "* a + b).min(0)", "* a + b).max(0)", "the last in each order is taken"),
    (
        "datasets/dedup.py",
        "    return h ^ (h >> np.uint32(16))\n",
        "    return h\n",
        "a hash's last mixing is left out",
    ),
    (
        "datasets/dedup.py",
        ".digest()[:4] for part",
        ".digest()[-4:] for part",
        "a hash is made of the digest's last bytes",
    ),
    (
        "datasets/dedup.py",
        "    return 1 - (1 - np.asarray(similarity, float) ** rows) ** bands\n",
        "    return 1 - (1 - np.asarray(similarity, float) ** bands) ** rows\n",
        "bands and rows exchanged in the S-curve",
    ),
    ("datasets/dedup.py", "made[:, band * rows : (band + 1) * rows]", "made[:, band : band + rows]", "bands overlap"),
    (
        "datasets/dedup.py",
        "buckets[row.tobytes()].append(i)",
        "buckets[np.sort(row).tobytes()].append(i)",
        "a band's numbers are compared in any order",
    ),
    (
        "datasets/dedup.py",
        "        leader[second] = first\n",
        "        leader[j] = first\n",
        "groups that meet late are not joined",
    ),
    (
        "datasets/dedup.py",
        "        first, second = sorted((find(i), find(j)))\n",
        "        second, first = sorted((find(i), find(j)))\n",
        "of a group the last one stays",
    ),
    (
        "datasets/dedup.py",
        "    return len(a & b) / len(a | b) if a or b else 1.0\n",
        "    return len(a & b) / min(len(a), len(b)) if a or b else 1.0\n",
        "containment is taken for similarity",
    ),
    (
        "datasets/dedup.py",
        "jaccard(sets[i], sets[j]) >= at_least]",
        "jaccard(sets[i], sets[j]) > at_least]",
        "a pair on the threshold is no copy",
    ),
    # private data, test items
    (
        "datasets/scrub.py",
        "    for start, end, kind in reversed(find_private(text, kinds)):\n",
        "    for start, end, kind in find_private(text, kinds):\n",
        "each replacement moves those behind it",
    ),
    (
        "datasets/scrub.py",
        "        if not kept or start >= kept[-1][1]:\n",
        "        if not kept or start > kept[-1][0]:\n",
        "data that overlap are both replaced",
    ),
    ("datasets/scrub.py", "\\d{4}(?![\\w-]|\\.\\d)", "\\d{4}", "a number that goes on is cut to a telephone number"),
    (
        "datasets/decontaminate.py",
        "count / len(runs[number]) for number, count",
        "count / max(1, len(runs_of(text, n))) for number, count",
        "the share is that of the page's runs",
    ),
    (
        "datasets/decontaminate.py",
        "if shares and max(shares.values()) >= at_least]",
        "if shares and sum(shares.values()) >= at_least]",
        "the shares of several items are added up",
    ),
    (
        "datasets/decontaminate.py",
        'words = re.findall(r"\\w+", text.lower())',
        "words = text.lower().split()",
        "punctuation hides a quotation",
    ),
    # the crawl
    (
        "datasets/scraped.py",
        '"copy" if page.text in known else "near-copy"',
        '"near-copy" if page.text in known else "copy"',
        "exact and near-copies are exchanged",
    ),
    (
        "datasets/scraped.py",
        "    at, private = sum(len(line) + 1 for line in draft.before), []\n",
        "    at, private = sum(len(line) for line in draft.before), []\n",
        "spans do not count the line ends before them",
    ),
    # by heart
    (
        "evaluate/memorized.py",
        "    rank = int((log_probs >= log_probs[secret]).sum())\n",
        "    rank = int((log_probs > log_probs[secret]).sum()) + 1\n",
        "a tie exposes a secret",
    ),
    (
        "evaluate/memorized.py",
        "    return math.log2(len(log_probs)) - math.log2(rank)\n",
        "    return math.log(len(log_probs)) - math.log(rank)\n",
        "exposure in nats",
    ),
]
