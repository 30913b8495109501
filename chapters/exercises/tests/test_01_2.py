"""01.2: children first."""

from hypothesis import given
from hypothesis import strategies as st

from tinygrad_llm.course.exercises.calls import call


class Named:
    """A value with a name, so that a failing call can be read."""

    def __init__(self, name, *parents):
        self.name, self.parents = name, parents

    def __repr__(self):
        return self.name if not self.parents else f"{self.name}({', '.join(p.name for p in self.parents)})"

    def __deepcopy__(self, memo):
        return self


def names(order):
    return [value.name for value in order]


def test_a_value_alone(mine):
    call(mine.children_first, Named("a")).then(" as names", names).gives(["a"])


def test_a_chain(mine):
    a = Named("a")
    b = Named("b", a)
    call(mine.children_first, Named("c", b)).then(" as names", names).gives(["c", "b", "a"])


def test_a_value_used_twice_comes_once(mine):
    a = Named("a")
    call(mine.children_first, Named("b", a, a)).then(" as names", names).gives(["b", "a"])


def test_a_value_waits_for_all_that_was_made_from_it(mine):
    # d is made from a and from c, c from b, b from a: a must come last, though d reaches it at once
    a = Named("a")
    b = Named("b", a)
    c = Named("c", b)
    call(mine.children_first, Named("d", a, c)).then(" as names", names).gives(["d", "c", "b", "a"])
    call(mine.children_first, Named("d", c, a)).then(" as names", names).gives(["d", "c", "b", "a"])


@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=3), min_size=1, max_size=8))
def test_in_any_graph_every_child_comes_before_its_parents(mine, made_from):
    values = [Named("v0")]
    for i, parents in enumerate(made_from, 1):
        values.append(Named(f"v{i}", *(values[p % i] for p in parents)))

    def misplaced(order):
        place = {value.name: i for i, value in enumerate(order)}
        return [f"{p.name} before {v.name}" for v in order for p in v.parents if place.get(p.name, -1) <= place[v.name]]

    made = call(mine.children_first, values[-1])
    made.then(": parents before children", misplaced).gives([])
    made.then(": how often each", lambda order: max(map(names(order).count, names(order)))).gives(1)
