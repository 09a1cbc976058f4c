# SPDX-License-Identifier: Apache-2.0
"""A sample of the kill -9 loop; `./dev soak` runs the same code for longer."""
import os

import kill_push


def test_a_push_killed_at_any_step_leaves_the_old_or_the_new_state():
    done = kill_push.run(rounds=int(os.environ.get("FLAIR_KILL_ROUNDS", kill_push.SAMPLE_ROUNDS)))
    print(done)
    assert done["client_killed"] >= done["rounds"] * 0.6
    assert done["hub_killed"] >= done["rounds"] * 0.1
    # Both outcomes were met, so that the loop did reach both sides of the decision.
    assert done["old_state"] and done["new_state"]
