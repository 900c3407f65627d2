"""Workers that are killed, frozen or fed with anything at all cost at most the title they had."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import pytest

from mediaflow.errors import SystemFault, TitleError, UsageError
from mediaflow.media.options import Limits
from mediaflow.media.pool import DecodePool
from tests.media.films import shots, write_film

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four films of three shots."""
    folder = tmp_path_factory.mktemp("films")
    return [write_film(folder / f"film {n}.mp4", shots([30, 30 + n, 30])) for n in range(4)]


class Interruption:
    """Sends a signal to the pool's only worker in the middle of a film, a set number of times."""

    def __init__(self, pool: DecodePool, what: signal.Signals, times: int, after: int = 0) -> None:
        self.pool, self.what, self.left, self.after = pool, what, times, after
        self.hit: list[int] = []

    def __call__(self, frames: int) -> None:
        if self.left and frames >= self.after:
            self.left -= 1
            (pid,) = self.pool.worker_pids
            self.hit.append(pid)
            os.kill(pid, self.what)


def ended(pid: int, seconds: float = 30) -> bool:
    """Wait until a process is gone."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)
    done = bool(waiting.poll(seconds * 1000))
    os.close(handle)
    return done


@pytest.mark.parametrize("what", [signal.SIGKILL, signal.SIGSTOP])
def test_a_title_gets_a_second_try_in_a_fresh_worker(shared_data: Path, what: signal.Signals) -> None:
    film = shared_data / "video" / "sintel_26s_480p.mp4"
    with DecodePool(limits=Limits(stall_s=3)) as pool:
        calm = pool.decode(film)
        # By then frames of the first shots have been handed over.
        interruption = Interruption(pool, what, times=1, after=250)
        decoded = pool.decode(film, progress=interruption)
        assert len(interruption.hit) == 1
        assert interruption.hit != pool.worker_pids
        assert ended(interruption.hit[0])
        # Nothing of the first try is left in the answer.
        assert decoded.shots.equals(calm.shots)
        assert decoded.frames.equals(calm.frames)


@pytest.mark.parametrize(
    ("what", "how", "says"),
    [(signal.SIGKILL, "killed", "killed twice"), (signal.SIGSTOP, "stalled", "no progress for 2 s")],
)
def test_a_second_loss_is_the_titles_and_the_others_go_on(
    films: list[Path], what: signal.Signals, how: str, says: str
) -> None:
    with DecodePool(limits=Limits(stall_s=2)) as pool:
        interruption = Interruption(pool, what, times=2)
        with pytest.raises(TitleError, match=says) as error:
            pool.decode(films[0], progress=interruption)
        assert error.value.fields == {"stage": "frames", "file": "film 0.mp4", "worker": how}
        assert [pool.decode(film).shots.height for film in films[1:]] == [3, 3, 3]
        assert all(ended(pid) for pid in interruption.hit)


def test_a_crash_is_the_titles_at_once(films: list[Path]) -> None:
    with DecodePool() as pool:
        interruption = Interruption(pool, signal.SIGSEGV, times=1)
        with pytest.raises(TitleError, match="crashes its decoder"):
            pool.decode(films[0], progress=interruption)
        assert pool.decode(films[0]).shots.height == 3


def test_the_other_titles_of_a_batch_finish(films: list[Path]) -> None:
    with DecodePool(2, Limits(stall_s=5)) as pool, ThreadPoolExecutor(4) as threads:
        killed: list[int] = []

        def kill_first(frames: int) -> None:
            if not killed:
                killed.append(pool.worker_pids[0])
                os.kill(killed[0], signal.SIGKILL)

        answers = [threads.submit(pool.decode, film, progress=kill_first) for film in films * 2]
        found = [answer.result().shots["end_frame"].to_list() for answer in answers]
        assert found == [[30, 60 + n, 90 + n] for n in range(4)] * 2
        assert killed
        assert len(pool.worker_pids) <= 2


def test_workers_start_when_needed_and_stay(films: list[Path]) -> None:
    with DecodePool(3) as pool:
        assert pool.worker_pids == []
        pool.probe(films[0])
        first = pool.worker_pids
        pool.decode(films[1])
        pool.decode(films[2])
        assert len(first) == 1
        assert pool.worker_pids == first


def test_memory_is_limited(tmp_path: Path, films: list[Path]) -> None:
    path = tmp_path / "huge.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 8000, 4000, "yuv420p"
        frame = av.VideoFrame(8000, 4000, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for number in range(2):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with DecodePool(limits=Limits(memory_bytes=550 * 2**20)) as pool:
        with pytest.raises(TitleError, match=r"^'huge.mp4' .*needs more memory"):
            pool.decode(path)
        assert pool.decode(films[0]).shots.height == 3
    with DecodePool(limits=Limits(pixels=8000 * 4000 - 1)) as pool, pytest.raises(TitleError, match="8000 x 4000"):
        pool.decode(path)


def test_cpu_is_limited_per_title(shared_data: Path, films: list[Path]) -> None:
    with DecodePool(limits=Limits(cpu_s=0)) as pool:
        with pytest.raises(TitleError, match="more than the limit of 0 CPU seconds"):
            pool.decode(shared_data / "video" / "bbb_480p_30s.mp4")
        assert pool.decode(films[0]).shots.height == 3


def test_limits_on_streams_length_and_size(films: list[Path]) -> None:
    for limits, says in [
        (Limits(duration_s=1), "lasts"),
        (Limits(file_bytes=100), "more than the limit of 100"),
        (Limits(kept_bytes=100), "cuts so often"),
        (Limits(frames=20), "longer than the limit"),
    ]:
        with DecodePool(limits=limits) as pool, pytest.raises(TitleError, match=says):
            pool.decode(films[0])


def test_a_worker_that_cannot_start_is_a_system_fault(films: list[Path]) -> None:
    with DecodePool(limits=Limits(memory_bytes=200 * 2**20)) as pool:
        with pytest.raises(SystemFault, match=r"cannot start.*200 MiB"):
            pool.probe(films[0])
        assert pool.worker_pids == []


def test_a_closed_pool_says_so(films: list[Path]) -> None:
    pool = DecodePool()
    pool.probe(films[0])
    (pid,) = pool.worker_pids
    pool.close()
    assert ended(pid)
    with pytest.raises(UsageError, match="closed"):
        pool.probe(films[0])
    with pytest.raises(UsageError, match="at least one worker"):
        DecodePool(0)


SECRETIVE = """
import os, sys
from pathlib import Path
from mediaflow.media.pool import DecodePool
from mediaflow.errors import MediaflowError
listed = os.open(sys.argv[1], os.O_RDONLY)
os.set_inheritable(listed, True)
pool = DecodePool()
pool.probe(Path(sys.argv[1]))
print(pool.worker_pids[0], flush=True)
sys.stdin.read()
"""


def test_a_worker_inherits_no_secrets_and_dies_with_its_parent(films: list[Path]) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", SECRETIVE, str(films[0])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PASSWORD": "swordfish", "PYTHONPATH": str(ROOT)},
    )
    assert parent.stdin and parent.stdout
    worker = int(parent.stdout.readline())
    environment = Path(f"/proc/{worker}/environ").read_bytes()
    opened = {str(entry.readlink()) for entry in Path(f"/proc/{worker}/fd").iterdir()}
    parent.kill()
    assert ended(worker)
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    assert b"swordfish" not in environment
    assert str(films[0]) not in opened


def test_a_worker_in_the_middle_of_a_film_dies_with_its_parent(shared_data: Path) -> None:
    long = shared_data / "video" / "bbb_480p_30s.mp4"
    code = SECRETIVE.replace("pool.probe(Path(sys.argv[1]))\n", "").replace(
        "print(pool.worker_pids[0], flush=True)",
        "pool.decode(Path(sys.argv[1]), progress=lambda n: (print(pool.worker_pids[0], flush=True), os._exit(1)))",
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(long)],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert ended(int(done.stdout))


def test_every_broken_file_gets_an_answer_or_a_sentence(shared_data: Path) -> None:
    files = [path for path in sorted((shared_data / "robust").rglob("*")) if path.is_file()]
    assert len(files) > 300

    def ask(path: Path) -> tuple[str, ...]:
        said = []
        for work in (pool.probe, pool.decode):
            try:
                work(path)
            except TitleError as error:
                assert path.name in error.message
                assert str(path.parent) not in error.message
                assert error.message.endswith(".")
                said.append(error.message)
        try:
            pool.picture(path.read_bytes())
        except UsageError as error:
            assert error.message.endswith(".")
        return tuple(said)

    with DecodePool(2, Limits(stall_s=30)) as pool, ThreadPoolExecutor(2) as threads:
        said = list(threads.map(ask, files))
    read = {path.name for path, sentences in zip(files, said, strict=True) if not sentences}
    assert {"h265_video.mp4", "bear_mpeg4asp_mp3.avi", "no_duration.webm", "launch.mpg"} <= read
    assert not read & {"bad_video.mp4", "encryptionKey.key", "sine_mono_s16.wav", "subtitles.vtt"}
