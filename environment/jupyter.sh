# Finds or installs Jupyter, apart from the user's own, and registers our kernel for it. To be sourced after lib.sh.

jupyter=$root/target/jupyter
# None of the user's kernels, settings or trust database is touched.
export JUPYTER_DATA_DIR=$jupyter/data JUPYTER_CONFIG_DIR=$jupyter/config JUPYTER_RUNTIME_DIR=$jupyter/runtime JUPYTER_PATH=$jupyter/data \
    IPYTHONDIR=$jupyter/ipython

has_modules() {
    [ -x "$1" ] && "$1" -c "import $2" >/dev/null 2>&1
}

# find_jupyter REQUIREMENTS PACKAGES MODULE..: sets `python` to one that has the modules: our own environment from a Python index, else Debian's.
find_jupyter() {
    local requirements=$1 packages=$2
    shift 2
    local modules
    modules=$(printf '%s,' "$@")
    modules=${modules%,}
    mkdir -p "$JUPYTER_RUNTIME_DIR"
    for python in "$jupyter/venv/bin/python" /usr/bin/python3; do
        has_modules "$python" "$modules" && return
    done
    command -v python3 >/dev/null || fail "no python3 found: install Python 3"
    echo "installing Jupyter into target/jupyter, once: about 240 MB, a minute or so .." >&2
    if python3 -m venv "$jupyter/venv" >"$jupyter/install.log" 2>&1 &&
        "$jupyter/venv/bin/python" -m pip install -q --retries 0 --timeout 15 -r "$requirements" >>"$jupyter/install.log" 2>&1; then
        python=$jupyter/venv/bin/python
        return
    fi
    rm -rf "$jupyter/venv"
    if command -v apt-get >/dev/null; then
        local sudo=''
        [ "$(id -u)" = 0 ] || sudo=sudo
        echo "no Python index reached; installing Debian's packages .." >&2
        local wait='-o DPkg::Lock::Timeout=600'             # another installation may be at work
        # shellcheck disable=SC2086
        if $sudo apt-get $wait update -qq >>"$jupyter/install.log" 2>&1 &&
            grep -v '^#' "$packages" | DEBIAN_FRONTEND=noninteractive xargs $sudo apt-get $wait install -y -qq --no-install-recommends >>"$jupyter/install.log" 2>&1; then
            python=/usr/bin/python3
            has_modules "$python" "$modules" && return
        fi
    fi
    tail -n 5 "$jupyter/install.log" >&2
    fail "Jupyter could not be installed (log: target/jupyter/install.log)"
}

# Writes the settings of the Lab: nothing is asked of the network, pages are exported as this project's are, our kernel is the only one.
configure_lab() {
    mkdir -p "$JUPYTER_CONFIG_DIR/labconfig" "$JUPYTER_RUNTIME_DIR"
    chmod 700 "$JUPYTER_RUNTIME_DIR"                        # Jupyter writes the token there
    "$python" - "$here/html" "$JUPYTER_CONFIG_DIR" <<'PYTHON'
import json, pathlib, sys
html, folder = sys.argv[1], pathlib.Path(sys.argv[2])
page = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True, "@jupyterlab/extensionmanager-extension": True}}
(folder / "labconfig" / "page_config.json").write_text(json.dumps(page))
server = {
    "LabApp": {"news_url": None, "check_for_updates_class": "jupyterlab.NeverCheckForUpdate", "extension_manager": "readonly"},
    "ServerApp": {"ip": "127.0.0.1", "port_retries": 0},
    "KernelSpecManager": {"ensure_native_kernel": False},
    "MultiKernelManager": {"default_kernel_name": "recall-java"},
    "HTMLExporter": {"template_name": "offline", "extra_template_basedirs": [html]},
}
(folder / "jupyter_server_config.json").write_text(json.dumps(server))
PYTHON
}

# free_port WANTED: prints a port of 127.0.0.1 that nobody listens on: the wanted one, or the first after 8888; nothing if the wanted one is taken.
free_port() {
    "$python" - "$1" <<'PYTHON'
import socket, sys
for port in [int(sys.argv[1])] if sys.argv[1] else range(8888, 8988):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(port)
        break
PYTHON
}

# Reads options, one a line, and writes them for a file of arguments, where blanks, quotes and backslashes mean something.
quoted() {
    sed -e 's/[\\"]/\\&/g' -e 's/^/"/' -e 's/$/"/'
}

# install_kernel [FOLDER]: writes the kernelspec `recall-java` into a folder of kernels, our own unless told otherwise.
install_kernel() {
    local spec=${1:-$jupyter/data/kernels}/recall-java
    mkdir -p "$spec"
    cp "$here/kernelspec/logging.properties" "$spec/"
    {
        jvm_options
        start_options
        printf '%s\n' "-Djava.util.logging.config.file=$spec/logging.properties" -cp "$(class_path)" lab.recall.kernel.RecallKernel
    } | quoted > "$spec/jvm.args"
    local java_path
    java_path=$(json_text "$(command -v "$java")")
    # a Jupyter of the user's may run in a language whose letters Java could not read from its arguments
    awk -v java="$java_path" -v args="$(json_text "$spec/jvm.args")" '
        { while ((i = index($0, "@JAVA@")) > 0) $0 = substr($0, 1, i - 1) java substr($0, i + 6)
          while ((i = index($0, "@ARGS@")) > 0) $0 = substr($0, 1, i - 1) args substr($0, i + 6)
          print }' "$here/kernelspec/kernel.json" > "$spec/kernel.json"
}

# A text between the quotes of a JSON file; doubled, as awk reads its variables once more.
json_text() {
    printf '%s' "$1" | sed -e 's/[\\"]/\\&/g' -e 's/\\/\\\\/g'
}
