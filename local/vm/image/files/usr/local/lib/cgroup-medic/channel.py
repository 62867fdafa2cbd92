#!/usr/bin/env python3
"""Runs commands for the process that started this virtual node, over a virtio-serial port.

One JSON object a line, bytes in base64.
From the host: {"id", "start": {"command", "env", "cwd", "timeoutSeconds", "stdin"}} and {"id", "kill": true}.
To the host:   {"ready": BOOT_ID}, {"id", "stdout"|"stderr": BYTES}, {"id", "ended": {"code", "signal", "timedOut"}},
               {"id", "failed": REASON}.
A command is the leader of a process group of its own; its time-out, and a kill, are SIGKILL to all of the group. It has
ended when nobody holds its output any more, as for the SSM agent.
"""

import base64
import json
import os
import signal
import subprocess
import threading

PORT_NAME = "org.cgroup-medic.channel"

def find_port():
    for name in os.listdir("/sys/class/virtio-ports"):
        with open(f"/sys/class/virtio-ports/{name}/name") as file:
            if file.read().strip() == PORT_NAME:
                return f"/dev/{name}"
    raise SystemExit(f"no virtio port is called {PORT_NAME}")


# The kernel lets a port be opened only once.
port = os.open(find_port(), os.O_RDWR)
sending = threading.Lock()
running = {}


def send(message):
    line = memoryview(json.dumps(message).encode() + b"\n")
    with sending:
        while line:
            line = line[os.write(port, line):]


def forward(job, name, stream):
    with stream:
        while data := os.read(stream.fileno(), 65536):
            send({"id": job, name: base64.b64encode(data).decode()})


def feed(stream, data):
    try:
        with stream:
            stream.write(data)
    except BrokenPipeError:
        pass  # The command does not want (all of) it.


def kill(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(job, start):
    try:
        process = subprocess.Popen(
            start["command"],
            env=start["env"],
            cwd=start["cwd"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        send({"id": job, "failed": str(error)})
        return
    running[job] = process
    timed_out = threading.Event()

    def time_out():
        timed_out.set()
        kill(process)

    timer = threading.Timer(start["timeoutSeconds"], time_out)
    timer.daemon = True
    timer.start()
    threads = [
        threading.Thread(target=forward, args=(job, "stdout", process.stdout)),
        threading.Thread(target=forward, args=(job, "stderr", process.stderr)),
        threading.Thread(target=feed, args=(process.stdin, base64.b64decode(start["stdin"]))),
    ]
    for thread in threads:
        thread.start()
    # The group keeps its number as long as any member lives, so the time-out also ends what the command left behind.
    for thread in threads:
        thread.join()
    status = process.wait()
    timer.cancel()
    del running[job]
    send(
        {
            "id": job,
            "ended": {
                "code": status if status >= 0 else None,
                "signal": max(0, -status),
                "timedOut": timed_out.is_set(),
            },
        }
    )


def main():
    with open("/proc/sys/kernel/random/boot_id") as boot_id:
        send({"ready": boot_id.read().strip()})
    # The end of the port's input means that the host process is gone: nobody can use this node any more.
    for line in os.fdopen(port, "rb", closefd=False):
        message = json.loads(line)
        job = message["id"]
        if "start" in message:
            threading.Thread(target=run, args=(job, message["start"]), daemon=True).start()
        elif job in running:
            kill(running[job])
    os.execvp("systemctl", ["systemctl", "poweroff", "--force", "--force"])


main()
