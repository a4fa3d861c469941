"""A SLURM cluster of one node, in a folder, by Debian's packages: for tests alone.

munged, mariadbd, slurmdbd, slurmctld and slurmd run as the user who tests, on free ports; nothing
outside the folder is written, and all end with the ``with`` block.
"""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

NEEDS = ("munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd", "sbatch", "sacct")
# Debian puts daemons where the path of ordinary users does not lead.
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])

DATABASE = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={dbd_port}
SlurmUser={user}
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={sql_port}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
"""

CLUSTER = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1
# Without cgroups, memory is sampled each second, and a job that takes too much is killed.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
OverTimeLimit=0
KillWait=2
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd_port}
AccountingStoragePass={folder}/munge/socket
AccountingStorageEnforce=associations,limits
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
GresTypes=gpu
# More than this machine may have: rules that ask for four threads would wait for ever.
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000 Gres=gpu:2 State=UNKNOWN
PartitionName=batch Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """The programs that are not installed."""
    return [name for name in NEEDS if not shutil.which(name, path=PATH)]


@contextmanager
def slurm_cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Start the cluster: account lab, partition batch, 8 CPUs, 64 GB, 2 GPUs (in name alone).

    Yields:
        The environment in which sbatch, squeue and Snakemake find it.

    Raises:
        AssertionError: with what the daemons logged, if it does not come up.
    """
    host = socket.gethostname().partition(".")[0]
    ports = dict(
        zip(("sql_port", "dbd_port", "ctld_port", "slurmd_port"), _free_ports(4), strict=True)
    )
    values = {"folder": folder, "host": host, "user": getpass.getuser(), **ports}
    for name in ("munge", "state", "spool", "bin"):
        (folder / name).mkdir(mode=0o755, parents=True)
    _write(folder / "slurmdbd.conf", DATABASE.format(**values), 0o600)
    _write(folder / "slurm.conf", CLUSTER.format(**values))
    # The scheduler wants a device file behind each.
    _write(folder / "gres.conf", "Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n")
    # Snakemake's jobs call srun without any SLURM_... variable, as if the file were in /etc.
    srun = f'#!/bin/sh\nSLURM_CONF="{folder}/slurm.conf" exec "{_program("srun")}" "$@"\n'
    _write(folder / "bin/srun", srun, 0o755)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("SLURM_")},
        "PATH": f"{folder}/bin{os.pathsep}{PATH}",
        "SLURM_CONF": f"{folder}/slurm.conf",
    }

    def call(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    def up(what: str, works: Callable[[], bool], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not works():
            logs = [path.read_text()[-2000:] for path in folder.glob("*.log")]
            assert time.monotonic() < end, "\n".join([f"{what} did not start", *logs])
            time.sleep(0.1)

    with ExitStack() as stack:

        def daemon(name: str, *arguments: str) -> None:
            output = stack.enter_context((folder / f"{name}.out.log").open("w"))
            process = subprocess.Popen(
                [_program(name), *arguments],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            stack.callback(_end, process)

        munge = folder / "munge"
        _write(munge / "key", os.urandom(128), 0o400)
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid"}
        files |= {"log-file": "log", "seed-file": "seed"}
        daemon(
            "munged",
            "--foreground",
            "--force",
            *(f"--{option}={munge / name}" for option, name in files.items()),
        )
        data, sql_socket = folder / "mysql", folder / "mysql.socket"
        # Its temporary files are the only thing that would lie elsewhere.
        user, plain = f"--user={getpass.getuser()}", "--no-defaults"
        made = call(
            "mariadb-install-db",
            plain,
            f"--datadir={data}",
            user,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )
        assert made.returncode == 0, made.stdout + made.stderr
        daemon(
            "mariadbd",
            plain,
            f"--datadir={data}",
            f"--socket={sql_socket}",
            f"--port={ports['sql_port']}",
            f"--pid-file={folder}/mysql.pid",
            user,
            "--bind-address=127.0.0.1",
            "--innodb-buffer-pool-size=64M",
            "--innodb-lock-wait-timeout=900",
        )
        sql = ["mariadb", plain, f"--socket={sql_socket}", "--user=root", "-e"]
        up("mariadbd", lambda: call(*sql, "select 1").returncode == 0)
        made = call(
            *sql,
            "create database slurm; create user slurm@localhost identified by 'slurm'; "
            "create user slurm@127.0.0.1 identified by 'slurm'; "
            "grant all on slurm.* to slurm@localhost; grant all on slurm.* to slurm@127.0.0.1",
        )
        assert made.returncode == 0, made.stderr
        daemon("slurmdbd", "-D")
        up("slurmdbd", lambda: call("sacctmgr", "-n", "list", "cluster").returncode == 0)
        for entry in (
            ["cluster", "test"],
            ["account", "lab"],
            ["user", getpass.getuser(), "account=lab"],
        ):
            made = call("sacctmgr", "-i", "add", *entry)
            assert made.returncode == 0, made.stdout + made.stderr
        daemon("slurmctld", "-D")
        daemon("slurmd", "-D", "-N", host)
        up("slurmctld", lambda: "idle" in call("sinfo", "-h", "-o", "%T").stdout)
        stack.callback(call, "scancel", "--user", getpass.getuser())
        yield environment


def _program(name: str) -> str:
    found = shutil.which(name, path=PATH)
    assert found, f"{name} is not installed"
    return found


def _write(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a daemon, and if it does not within ten seconds, kill it."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
