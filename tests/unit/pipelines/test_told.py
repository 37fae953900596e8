"""A signal to stop is heard whoever handles it."""

import os
import signal
import threading

import pytest

from pipelines.told import told_to_stop


@pytest.fixture
def swallowed():
    """Signals to stop are handled by somebody who does nothing."""
    before = {
        one: signal.signal(one, lambda *args: None) for one in (signal.SIGTERM, signal.SIGINT)
    }
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.parametrize("one", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_another_handler_swallows_is_heard_and_stays_so(swallowed, one):
    with told_to_stop() as told:
        assert not told()
        os.kill(os.getpid(), one)
        assert told()
        assert told()
    with told_to_stop() as told:
        assert not told()


def test_other_signals_are_none_of_these(swallowed):
    before = signal.signal(signal.SIGUSR1, lambda *args: None)
    with told_to_stop() as told:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert not told()
    signal.signal(signal.SIGUSR1, before)


def test_outside_of_the_main_thread_nothing_is_heard():
    heard = []

    def ask():
        with told_to_stop() as told:
            heard.append(told())

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert heard == [False]
