"""A SLURM cluster of one machine, for tests: without systemd, cgroups or a GPU; needs root, slurm-wlm and munge."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")

#: Jobs are killed over their memory, which is sampled every two seconds. `config_overrides` lets a small machine
#: promise the memory that jobs ask for and do not use.
CONFIGURATION = """\
ClusterName=mini
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.socket
CredType=cred/munge
SlurmctldPort={controller_port}
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=2
ReturnToService=2
MinJobAge=600
KillWait=5
MailProg=/bin/true
GresTypes=gpu
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=UNLIMITED State=UP
"""
NODE = (
    "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory=32000 Gres=gpu:{gpus}"
    " State=UNKNOWN"
)
#: Programs ask for /dev/null in the place of a GPU.
GPU = "NodeName={name} Name=gpu File={folder}/dev/nvidia[0-{last}] Flags=nvidia_gpu_env"


def missing() -> list[str]:
    """Why there can be no cluster here."""
    reasons = [f"{name} is not installed" for name in PROGRAMS if not shutil.which(name)]
    return reasons + (["starting one takes root"] if os.geteuid() else [])


@contextlib.contextmanager
def running(nodes: int = 1, gpus: int = 2) -> Iterator[dict[str, str]]:
    """Start a cluster and yield the environment in which its commands work; stop it at the end.

    Every one of `nodes` has all of this machine's processors, and `gpus` pretended GPUs.
    """
    # Not below pytest's folder, which others may not enter: munged wants its socket reachable, by a short path.
    with tempfile.TemporaryDirectory(prefix="slurm-") as name:
        Path(name).chmod(0o755)
        yield from _running(Path(name), nodes, gpus)


def _running(folder: Path, nodes: int, gpus: int) -> Iterator[dict[str, str]]:
    for name in ("etc", "run", "log", "state", "spool", "dev", "bin"):
        (folder / name).mkdir()
    (folder / "run").chmod(0o755)
    key = folder / "etc" / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    for number in range(gpus):
        os.mknod(folder / "dev" / f"nvidia{number}", 0o020666, os.makedev(1, 3))
    host = socket.gethostname().split(".")[0]
    names = [f"node{number}" for number in range(nodes)]
    ports = free_ports(nodes + 1)
    configured = [
        NODE.format(name=name, host=host, port=port, cpus=os.cpu_count(), gpus=gpus)
        for name, port in zip(names, ports, strict=False)
    ]
    configuration = folder / "etc" / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(host=host, folder=folder, controller_port=ports[-1], nodes="\n".join(configured))
    )
    (folder / "etc" / "gres.conf").write_text(
        "\n".join(["AutoDetect=off", *(GPU.format(name=name, folder=folder, last=gpus - 1) for name in names), ""])
    )
    # Snakemake removes SLURM's variables from the environment before it calls srun; this one has to come back.
    srun = folder / "bin" / "srun"
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={configuration} exec {shutil.which("srun")} "$@"\n')
    srun.chmod(0o755)
    environment = {
        **os.environ,
        "SLURM_CONF": str(configuration),
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
    }
    munge = {"socket": folder / "run/munge.socket", "pid-file": folder / "run/munged.pid"}
    munge |= {"log-file": folder / "log/munged.log", "seed-file": folder / "etc/munge.seed", "key-file": key}
    daemons = [
        ["munged", *(f"--{name}={path}" for name, path in munge.items())],
        ["slurmctld", "-f", str(configuration)],
        *(["slurmd", "-f", str(configuration), "-N", name] for name in names),
    ]
    try:
        for command in daemons:
            subprocess.run(command, env=environment, check=True)
        wait_until_idle(environment, nodes, folder / "log")
        yield environment
    finally:
        subprocess.run(["scancel", "--user=root"], env=environment, check=False)
        for pid in sorted((folder / "run").glob("*.pid"), key=lambda path: path.name, reverse=True):
            stop(int(pid.read_text()))


def wait_until_idle(environment: dict[str, str], nodes: int, logs: Path) -> None:
    states: list[str] = []
    for _ in range(200):
        answer = subprocess.run(
            ["sinfo", "-h", "-N", "-o", "%t"], env=environment, capture_output=True, text=True, check=False
        )
        states = answer.stdout.split()
        if states == ["idle"] * nodes:
            return
        time.sleep(0.1)
    texts = "\n".join(path.read_text()[-2000:] for path in logs.iterdir())
    raise RuntimeError(f"SLURM did not come up; its nodes are {states}.\n{texts}")


def stop(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
        for _ in range(100):
            time.sleep(0.1)
            os.kill(process, 0)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
