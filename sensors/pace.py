"""How often sensors look: just under the 5 s or 10 s that are meant.

Dagster's daemon comes round every 5 s, and passes by a sensor whose last look is not as long ago as it asks for. A look
begins a moment after the daemon has come round, so that who asks for 5 s is looked at every 10 s.
"""

OFTEN_S = 4
SELDOM_S = 9
