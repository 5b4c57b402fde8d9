from janitor.errors import describe_exit_code


def test_a_code_is_said_in_words() -> None:
    assert describe_exit_code(0) == describe_exit_code(77) == ""
    assert describe_exit_code(4) == "a guard refused to delete"
    assert describe_exit_code(-9) == "killed by SIGKILL; out of memory?"
    assert describe_exit_code(-250) == "killed by signal 250"
