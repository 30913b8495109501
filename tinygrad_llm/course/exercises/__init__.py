"""The exercises: what a learner is asked, how an answer is checked, and what is said about it.

catalog  which exercises there are, and where their files lie
stubs    solution → what the learner starts from
calls    what a check is made of: call this, expect that
difference  in what an answer differs from the right one
loading  the learner's file, executed
reasons  which known mistake gives the same wrong answer
seal     notices when an answer replaces what the checks use
child    one exercise's checks in a process of their own
runner   starts that process and reads what it found
report   says it
desk     the learner's own files: start, reset, update, state
mine     a chapter, run with the learner's functions in place of the package's
prove    that every exercise can be solved, and that wrong answers are found
"""
