"""The tests of a file by line, gathered from contexts."""

from covls.core.reached import reached


def test_lines_and_their_tests() -> None:
    found = reached([("b", [1, 2]), ("a", [2, 3])])
    assert found.names([1]) == ("b",)
    assert found.names([2]) == ("a", "b")
    assert found.names(range(1, 4)) == ("a", "b")
    assert found.names([4]) == ()
    assert [found.count([line]) for line in range(5)] == [0, 1, 2, 1, 0]
    assert found.count(range(5)) == 2


def test_phases_are_one_test_and_no_context_is_none() -> None:
    found = reached([("", [1, 2]), ("t|setup", [1]), ("t|run", [2]), ("t|teardown", [1, 2])])
    assert found.tests == ("t",)
    assert found.count([1, 2]) == 1


def test_what_is_not_positive_is_no_line() -> None:
    assert reached([("t", [-1, 0, 5])]).by_line.keys() == {5}


def test_many_tests_that_came_in_any_order() -> None:
    """As many as need several bytes; a line that few reach has as many bits as it needs."""
    recorded = [(f"t{number}", [1 + number % 3]) for number in range(100)]
    found = reached(reversed(recorded))
    for line in (1, 2, 3):
        expected = sorted(name for name, lines in recorded if lines == [line])
        assert list(found.names([line])) == expected
        assert found.count([line]) == len(expected)


def test_lines_with_the_same_tests_share_them() -> None:
    found = reached((f"t{number}", [1, 2]) for number in range(1000))
    assert found.by_line[1] is found.by_line[2]


def test_the_lines_of_one_test() -> None:
    found = reached([("b|run", [1, 2]), ("a", [2, 3]), ("b|setup", [7])])
    assert found.lines_of("b") == {1, 2, 7}
    assert found.lines_of("a") == {2, 3}
    assert found.lines_of("c") == frozenset()
