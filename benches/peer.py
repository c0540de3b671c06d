"""peer: times weir and Terraform on the same generated stacks, in one run.

A bench is a script that hands `main` its stacks. Each stack is a function that gives its text, and
the commands to run on it, in order. Only ratios from one run mean something: each stack is run by
weir and right after it by Terraform. CPU and memory are those of all processes of a command:
Terraform's providers are processes of their own.

Environment: WEIR_BIN, the weir to measure (default target/release/weir); TERRAFORM_BIN (default
`terraform` on the PATH); WEIR_LAB, the folder for everything generated.
"""

import argparse
import contextlib
import dataclasses
import datetime
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("WEIR_LAB", "/var/tmp/weir-lab")) / "benches"
WEIR = Path(os.environ.get("WEIR_BIN", HERE / "../target/release/weir")).resolve()
TERRAFORM = os.environ.get("TERRAFORM_BIN", "terraform")
LIMIT = 180  # seconds of a command of weir; of Terraform where --peer-limit says nothing
# What is over in a moment is measured again, by either tool: up to so many times, or so many seconds.
REPEATS, ENOUGH = 7, 10
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

STATE = {"weir": ".weir/state.db", "terraform": "terraform.tfstate"}
COMMANDS = {
    "validate": ["validate"],
    "plan": ["plan"],
    "apply": ["apply", "-auto-approve"],
    "no-change plan": ["plan"],
    "destroy": ["destroy", "-auto-approve"],
}


@dataclasses.dataclass
class Stack:
    """A stack to measure."""

    files: Callable[[], dict[str, str]]
    """Its files by path."""
    steps: list[str]
    """What to run on it, of `COMMANDS`."""
    peer: list[str] | None = None
    """What Terraform runs of it: the first so many of `steps`; all where it is None, none of them
    where it is empty, for what takes Terraform hours."""
    server: Callable[[], contextlib.AbstractContextManager[int]] | None = None
    """Starts what both tools call, anew for each of them, and gives its process's number."""

    def steps_of(self, tool: str) -> list[str]:
        return self.steps if tool == "weir" or self.peer is None else self.peer


@dataclasses.dataclass
class Goal:
    """What a run should come to."""

    text: str
    measure: Callable[[dict], float | None]
    """Of the medians by (stack, step, tool); None where something was not run."""
    bound: float
    at_least: bool = False

    def line(self, medians: dict) -> str:
        found = self.measure(medians)
        word = "at least" if self.at_least else "at most"
        if found is None:
            return f"- {self.text}: not measured ({word} {self.bound:g} is the goal)"
        met = found >= self.bound if self.at_least else found <= self.bound
        verdict = "met" if met else "missed"
        return f"- {self.text}: {found:.2f}, {word} {self.bound:g} is the goal: {verdict}"


def flat(count: int) -> str:
    """That many instances which have nothing to do with each other, a block each."""
    return "".join(
        f'resource "terraform_data" "r{i}" {{\n  input = "value {i}"\n}}\n' for i in range(count)
    )


def chain(count: int) -> str:
    """Each reads the one before it."""
    first = 'resource "terraform_data" "r0" {\n  input = "value"\n}\n'
    return first + "".join(
        f'resource "terraform_data" "r{i}" {{\n  input = terraform_data.r{i - 1}.output\n}}\n'
        for i in range(1, count)
    )


def cross(count: int) -> str:
    """Two counted blocks; each instance of the second reads its counterpart in the first."""
    return f"""resource "terraform_data" "a" {{
  count = {count}
  input = "value ${{count.index}}"
}}
resource "terraform_data" "b" {{
  count = {count}
  input = terraform_data.a[count.index].output
}}
"""


def modules(count: int, each: int) -> dict[str, str]:
    """A module that is called `count` times and makes `each` instances."""
    return {
        "main.tf": f'module "m" {{\n  source = "./m"\n  count  = {count}\n  of     = count.index\n}}\n',
        "m/main.tf": 'variable "of" {}\n'
        + f'resource "terraform_data" "r" {{\n  count = {each}\n  input = "${{var.of}} ${{count.index}}"\n}}\n',
    }


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr)


def command(tool: str, step: str) -> list[str]:
    if tool == "weir":
        return [str(WEIR), *COMMANDS[step]]
    quiet = ["-no-color"] if step == "validate" else ["-no-color", "-input=false"]
    return [TERRAFORM, *COMMANDS[step], *quiet]


def session(leader: int) -> float:
    """MiB that the processes of a session hold together now."""
    pages = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # After the name, which may hold anything: state, parent, group, session.
            if int((folder / "stat").read_text().rpartition(")")[2].split()[3]) == leader:
                pages += int((folder / "statm").read_text().split()[1])
        except (OSError, IndexError):
            continue  # it ended meanwhile
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def spent(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(argv: list[str], folder: Path, log: Path, limit: float) -> dict | None:
    """Wall and CPU seconds and peak MiB of a command; None where it takes too long."""
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1"}
    late = threading.Event()
    with log.open("wb") as out:
        began = time.monotonic()
        process = subprocess.Popen(
            argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environment,
            start_new_session=True,
        )

        def end() -> None:
            late.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(limit, end)
        timer.start()
        over, together = threading.Event(), [0.0]

        def watch() -> None:
            while not over.wait(0.05):
                together[0] = max(together[0], session(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        over.set()
        watcher.join()
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    if late.is_set():
        return None
    if process.returncode != 0:
        sys.exit(f"bench: {' '.join(argv)} failed; see {log}")
    return {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        # One process says itself what it held at most; of several, the most at once was seen.
        "memory": max(usage.ru_maxrss / 1024, together[0]),
    }


def round_of(tool: str, name: str, stack: Stack, results: dict, limit: float) -> None:
    folder = CACHE / f"{name}-{tool}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path, text in stack.files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    if tool == "terraform":
        init = [TERRAFORM, "init", "-input=false"]
        subprocess.run(init, cwd=folder, check=True, capture_output=True)
    with stack.server() if stack.server else contextlib.nullcontext() as server:
        steps_of(tool, (name, stack, server), folder, results, limit)


def steps_of(tool: str, of: tuple, folder: Path, results: dict, limit: float) -> None:
    name, stack, server = of
    for step in stack.steps_of(tool):
        log = CACHE / f"{name}-{tool}-{step.replace(' ', '-')}.log"
        before = spent(server) if server else 0.0
        found = measured(command(tool, step), folder, log, limit)
        if found is None:
            say(f"{name}, {step}, {tool}: over {limit:g} s, ended; what comes after it is left out")
            results.setdefault((name, step, tool), []).append(None)
            return
        found["state"] = 0.0
        if (folder / STATE[tool]).exists():
            found["state"] = (folder / STATE[tool]).stat().st_size / 2**20
        found["server"] = spent(server) - before if server else 0.0
        say(f"{name}, {step}, {tool}: {found['wall']:.2f} s")
        results.setdefault((name, step, tool), []).append(found)


def rounds_of(tool: str, name: str, stack: Stack, results: dict, limit: float) -> None:
    """A round, and more of them where it is short."""
    began = time.monotonic()
    for _ in range(REPEATS):
        round_of(tool, name, stack, results, limit)
        if time.monotonic() - began >= ENOUGH:
            break


def cells(runs: list[dict | None] | None) -> dict | None:
    if not runs or None in runs:
        return None
    found = {key: median(run[key] for run in runs) for key in runs[0]}
    return {**found, "quickest": min(run["wall"] for run in runs)}


def row(stack: str, step: str, results: dict, limit: float, extra: list[str]) -> str:
    runs = [len(results.get((stack, step, tool), [])) for tool in STATE]
    texts = [stack, step, ", ".join(map(str, runs))]
    ours = cells(results.get((stack, step, "weir")))
    theirs = cells(results.get((stack, step, "terraform")))
    columns = [("wall", 2), ("cpu", 2), ("memory", 0), ("state", 1), *((e, 2) for e in extra)]
    for key, digits in columns:
        for found in (ours, theirs):
            texts.append("-" if found is None else f"{found[key]:.{digits}f}")
        if key not in ("state", "server"):
            known = ours and theirs
            texts.append(f"{theirs[key] / ours[key]:.0f}x" if known else "-")
    if theirs is None:
        ended = None in results.get((stack, step, "terraform"), [])
        texts[4] = f"over {limit:g}" if ended else "not run"
    return "| " + " | ".join(texts) + " |"


def report(stacks: dict[str, Stack], chosen: list[str], results: dict, limit: float) -> str:
    extra = ["server"] if any(stacks[stack].server for stack in chosen) else []
    more = " the server's CPU s for weir | for terraform |" if extra else ""
    lines = [
        "| stack | command | runs of each | weir s | terraform s | ratio | weir CPU s | terraform CPU s | ratio "
        "| weir MiB | terraform MiB | ratio | weir state MiB | terraform state MiB |" + more,
        "|---|---|---:|" + "---:|" * (11 + 2 * len(extra)),
    ]
    for stack in chosen:
        lines += [row(stack, step, results, limit, extra) for step in stacks[stack].steps]
    return "\n".join(lines)


def keep(readme: Path, text: str) -> None:
    """Puts the report between the marks of the README."""
    before, _, rest = readme.read_text().partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        sys.exit(f"bench: {readme} has no place for the table ({BEGIN} and {END})")
    readme.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def main(name: str, stacks: dict[str, Stack], goals: list[Goal] | None = None) -> None:
    """The command line of a bench."""
    parser = argparse.ArgumentParser(
        usage=f"benches/{name}/run [-n ROUNDS] [--peer-limit SECONDS] [--readme] [STACK...]"
    )
    parser.add_argument("-n", type=int, default=1, dest="rounds")
    parser.add_argument("--peer-limit", type=float, default=LIMIT, dest="limit")
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("stacks", nargs="*", metavar="STACK")
    arguments = parser.parse_args()
    chosen = arguments.stacks or list(stacks)
    for stack in chosen:
        if stack not in stacks:
            sys.exit(f"bench: no stack {stack!r}; there are: {' '.join(stacks)}")
    if not WEIR.exists():
        sys.exit(f"bench: {WEIR} isn't built; build it as the bench's README says")
    if shutil.which(TERRAFORM) is None:
        sys.exit(f"bench: {TERRAFORM} isn't on the PATH; TERRAFORM_BIN names another")
    CACHE.mkdir(parents=True, exist_ok=True)
    version = subprocess.run(
        [TERRAFORM, "version"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    peer = next((line for line in version if line.startswith("Terraform v")), "Terraform")
    results: dict = {}
    limits = {"weir": float(LIMIT), "terraform": arguments.limit}
    for _ in range(arguments.rounds):
        for stack in chosen:
            for tool, limit in limits.items():
                if stacks[stack].steps_of(tool):
                    rounds_of(tool, stack, stacks[stack], results, limit)
    text = (
        f"Medians of weir and {peer}, {os.cpu_count()} cores, "
        f"{datetime.datetime.now(datetime.UTC):%F}\n\n"
        + report(stacks, chosen, results, arguments.limit)
    )
    medians = {key: found for key, runs in results.items() if (found := cells(runs))}
    if goals:
        text += "\n\n" + "\n".join(goal.line(medians) for goal in goals)
    print(text)
    if arguments.readme:
        keep(HERE / name / "README.md", text)
