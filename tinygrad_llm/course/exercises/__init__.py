"""The exercises: what a learner is asked, how an answer is checked, and what is said about it.

catalog  which exercises there are, and where their files lie
stubs    solution → what the learner starts from
calls    what a check is made of: call this, expect that
meaning  what a wrong answer usually means
child    one exercise's checks in a process of their own
runner   starts that process and reads what it found
report   says it
desk     the learner's own files: start, reset, update, state
mine     a chapter, run with the learner's functions in place of the package's
prove    that every exercise can be solved, and that wrong answers are found
"""
