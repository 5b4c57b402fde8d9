from janitor.serve.pulse import Pulse


def test_a_loop_that_does_not_pass_for_half_a_minute_has_no_pulse() -> None:
    now = 100.0
    pulse = Pulse(lambda: now)
    now += 30
    assert pulse.is_beating
    now += 1
    assert not pulse.is_beating
    pulse.beat()
    assert pulse.is_beating
