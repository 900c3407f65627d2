"""Which process a run lives in, so that a run whose process was killed does not count as running for ever."""

from mediaflow.storage.process import ended, this_process

__all__ = ["TAG", "ended", "this_process"]

TAG = "mediaflow/process"
