"""baton beside its peers: how the bench harness runs the same work with it (BENCH_TOOLS=benches/peers, BATON_BIN)."""
import json
import os
import shutil

from lib import SSH_CONFIG, STEP, Cmd, Tool, capture, crash_step, step_local, write

BIN = os.environ.get("BATON_BIN") or shutil.which("baton")

PRODUCT = """product = "applog"
title = "An application that writes a log"
model = "none"
requires = { dir = "the folder of its log", file = "its log" }

[log]
dir = "{dir}"
files = "{file}"
event_patterns = []
"""


def text(value):
    """A text as a runbook writes it."""
    return json.dumps(str(value))


def sh(target, command, options=""):
    return f'run({target}, ["sh", "-c", {text(command)}]{options});\n'


class Baton(Tool):
    name = "baton"
    wait_kinds = ["follow"]

    def available(self):
        return bool(BIN)

    def version(self):
        return capture([BIN, "--version"])

    def cmd(self, d, script, hosts=(), more="", state=None):
        site = f'[ssh]\nconfig = "{SSH_CONFIG}"\nconnections = 16\n' if hosts else '[hosts.here]\naddress = "local"\n'
        site += "".join(f'[hosts.{h.name}]\naddress = "{h.name}"\n' for h in hosts) + more
        write(d / "site.toml", site)
        write(d / "runbooks" / "bench.rhai", "//! A piece of work of the bench.\n" + script)
        return Cmd([BIN, "--state", str(state or d / "state"), "run", "bench", "-i", "site.toml"], cwd=str(d))

    def local_steps(self, d, n):
        step = f'step("step " + i, || {sh("h", step_local())[:-2]});'
        return self.cmd(d, f'let h = host("here");\nfor i in 1..={n} {{ {step} }}\n')

    def fleet_steps(self, d, hosts, n):
        names = ", ".join(f'host("{h.name}")' for h in hosts)
        step = f'step("step " + i, || {sh("h", STEP)[:-2]});'
        return self.cmd(d, f"parallel([{names}], |h| {{ for i in 1..={n} {{ {step} }} }});\n", hosts)

    def wait_line(self, d, host, log, pattern, ready, act, kind):
        folder, file = os.path.split(str(log))
        write(d / "stdlib" / "products" / "applog.toml", PRODUCT)
        service = f'[services.app]\nhost = "{host.name}"\nproduct = "applog"\ndir = "{folder}"\nfile = "{file}"\n'
        script = f'let app = service("app");\nlet h = host("{host.name}");\nmark(app);\n'
        script += sh("h", f": > {ready}")
        script += f'wait_for_log(app, {text(pattern)}, #{{ limit: "1h" }});\n' + sh("h", f"date +%s%N > {act}")
        return self.cmd(d, script, [host], service)

    def scan_log(self, d, host, log, pattern):
        folder, file = os.path.split(str(log))
        write(d / "stdlib" / "products" / "applog.toml", PRODUCT)
        service = f'[services.app]\nhost = "{host.name}"\nproduct = "applog"\ndir = "{folder}"\nfile = "{file}"\n'
        script = f'wait_for_log(service("app"), {text(pattern)}, #{{ from: "start", limit: "1h" }});\n'
        return self.cmd(d, script, [host], service)

    def push(self, d, hosts, src, dst_name):
        names = ", ".join(f'[host("{h.name}"), "{h.dir}/{dst_name}"]' for h in hosts)
        return self.cmd(d, f"parallel([{names}], |to| put(to[0], {text(src)}, to[1]));\n", hosts)

    def crash_steps(self, d, host, n, out, first=1, state=None):
        steps = "".join(f'step("step {i}", || {sh("h", crash_step(i, out))[:-2]});\n' for i in range(first, n + 1))
        return self.cmd(d, f'let h = host("{host.name}");\n{steps}', [host], state=state)

    def resume(self, d, host, n, out, state, log):
        return Cmd([BIN, "--state", str(state), "resume"], cwd=str(d)), "none: baton resume"


TOOLS = [Baton()]
