"""One line a check, and how many passed and failed; a kernel as a Jupyter client starts it."""
import time
import traceback

from jupyter_client.manager import KernelManager

PASSED, FAILED = [], []


def check(name, action):
    """Runs an action; it fails when it throws, with an AssertionError's text as the reason."""
    try:
        action()
        PASSED.append(name)
        print(f"passed  {name}", flush=True)
    except Exception as e:
        FAILED.append(name)
        why = str(e) if isinstance(e, AssertionError) else traceback.format_exc(limit=2)
        print(f"FAILED  {name}: {why[:1500]}", flush=True)


def summary():
    print(f"{len(PASSED)} passed, {len(FAILED)} failed")
    return 1 if FAILED else 0


class Cell:
    """What came back from one request."""

    def __init__(self):
        self.messages = []
        self.reply = None

    def of(self, kind):
        return [m["content"] for m in self.messages if m["msg_type"] == kind]

    @property
    def text(self):
        return "".join(m["text"] for m in self.of("stream") if m["name"] == "stdout")

    @property
    def result(self):
        return self.of("execute_result")[0]["data"] if self.of("execute_result") else {}

    @property
    def error(self):
        return self.of("error")[0] if self.of("error") else None

    @property
    def status(self):
        return self.reply["status"]


class Kernel:
    """A running kernel."""

    def __init__(self, folder, name="recall-java", patience=300):
        self.patience = patience
        self.manager = KernelManager(kernel_name=name)
        self.manager.start_kernel(cwd=str(folder))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=patience)

    def send(self, *codes, **more):
        return [self.client.execute(code, **more) for code in codes]

    def wait(self, ids):
        """The cells of some requests, once each has its reply and is idle."""
        cells = {i: Cell() for i in ids}
        idle = set()
        end = time.time() + self.patience
        while len(idle) < len(ids) or any(c.reply is None for c in cells.values()):
            assert time.time() < end, "no answer"
            while self.client.shell_channel.msg_ready():
                m = self.client.get_shell_msg(timeout=1)
                if m["parent_header"].get("msg_id") in cells:
                    cells[m["parent_header"]["msg_id"]].reply = m["content"]
            if self.client.iopub_channel.msg_ready():
                m = self.client.get_iopub_msg(timeout=1)
                parent = m["parent_header"].get("msg_id")
                if parent in cells:
                    cells[parent].messages.append(m)
                    if m["msg_type"] == "status" and m["content"]["execution_state"] == "idle":
                        idle.add(parent)
            else:
                time.sleep(0.02)
        return [cells[i] for i in ids]

    def run(self, code, **more):
        return self.wait(self.send(code, **more))[0]

    def run_all(self, *codes):
        return self.wait(self.send(*codes))

    def until_output(self, part):
        """Waits until some output holds a text; what came is lost to `wait`."""
        end = time.time() + self.patience
        while time.time() < end:
            m = self.client.get_iopub_msg(timeout=self.patience)
            if m["msg_type"] == "stream" and part in m["content"]["text"]:
                return
        raise AssertionError(f"no output with {part!r}")

    def interrupt(self):
        self.manager.interrupt_kernel()

    def inspect(self, marked):
        """What is said at the place of the | in some code."""
        at = marked.index("|")
        request = self.client.inspect(marked.replace("|", "", 1), at)
        end = time.time() + self.patience
        while time.time() < end:
            m = self.client.get_shell_msg(timeout=self.patience)
            if m["parent_header"].get("msg_id") == request:
                return m["content"]
        raise AssertionError("no answer")

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
