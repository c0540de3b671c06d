# A host's cgroups: how it is limited, frozen, measured and killed as a whole.
# shellcheck shell=bash
#
# Works with cgroup v1 (one folder per controller), v2 (one tree) and both at once. Every host has
# a cgroup of its own in every hierarchy before nspawn starts; without it the unit cgroups of two
# hosts would have the same path. Below it `machine` holds nspawn and what it runs, because a v2
# cgroup that holds processes can't hand controllers to its children.

# The mount points of all cgroup hierarchies of this machine.
cgroup_mounts() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/self/mounts | sort -u; }

# The mount point where a controller is found: cgroup_mount memory. Fails when there is none.
cgroup_mount() {
  awk -v want="$1" '
    $3 == "cgroup" { n = split($4, o, ","); for (i = 1; i <= n; i++) if (o[i] == want) { print $2; found = 1; exit } }
    $3 == "cgroup2" { v2 = $2 }
    END { if (!found && v2 != "") print v2; else if (!found) exit 1 }' /proc/self/mounts
}

# The folder of a host in a controller's hierarchy.
cgroup_of() { # HOST CONTROLLER
  local mount
  mount=$(cgroup_mount "$2") || return 1
  echo "$mount/$LAB_CGROUP/$1"
}

# Makes the host's cgroups in every hierarchy.
cgroup_make() { # HOST
  local mount dir
  while read -r mount; do
    dir=$mount/$LAB_CGROUP/$1
    mkdir -p "$mount/$LAB_CGROUP"
    if [[ -f $mount/cpuset.cpus && ! -f $mount/cgroup.controllers ]]; then
      cpuset_inherit "$mount" "$mount/$LAB_CGROUP"
    fi
    mkdir -p "$dir/machine" "$dir/keeper"
    if [[ -f $mount/cgroup.controllers ]]; then
      cgroup_delegate "$mount" "$mount/$LAB_CGROUP" "$dir"
    fi
  done < <(cgroup_mounts)
}

# Under v1 a new cpuset is empty and admits no process: ours takes its parent's and hands it on.
cpuset_inherit() { # PARENT CHILD
  local file
  for file in cpuset.cpus cpuset.mems; do
    cat "$1/$file" >"$2/$file"
  done
  echo 1 >"$2/cgroup.clone_children"
}

# Under v2 each level has to pass its controllers on; one that can't (it holds processes itself, as
# in a container) leaves limits unavailable, which `mem` then says.
cgroup_delegate() { # DIR...
  local dir controller
  for dir in "$@"; do
    for controller in cpu memory pids; do
      echo "+$controller" >"$dir/cgroup.subtree_control" 2>/dev/null || true
    done
  done
}

# Moves the calling shell into one of the host's cgroups.
cgroup_enter() { # HOST keeper|machine
  local mount pid=$BASHPID
  while read -r mount; do
    echo "$pid" >"$mount/$LAB_CGROUP/$1/$2/cgroup.procs" || true
  done < <(cgroup_mounts)
}

# Every process of a host, as this machine numbers them.
cgroup_procs() { # HOST
  local mount
  while read -r mount; do
    find "$mount/$LAB_CGROUP/$1" -name cgroup.procs -exec cat {} + 2>/dev/null || true
  done < <(cgroup_mounts) | sort -un
}

# Holds or releases every process of a host at once.
cgroup_freeze() { # HOST on|off
  local dir
  dir=$(cgroup_of "$1" freezer) || die "this kernel has no freezer cgroup"
  if [[ -f $dir/cgroup.freeze ]]; then
    [[ $2 == on ]] && echo 1 >"$dir/cgroup.freeze" || echo 0 >"$dir/cgroup.freeze"
  elif [[ -f $dir/freezer.state ]]; then
    [[ $2 == on ]] && echo FROZEN >"$dir/freezer.state" || echo THAWED >"$dir/freezer.state"
  fi
}

cgroup_frozen() { # HOST
  local dir
  dir=$(cgroup_of "$1" freezer) || return 1
  [[ $(cat "$dir/cgroup.freeze" 2>/dev/null) == 1 || $(cat "$dir/freezer.state" 2>/dev/null) == FROZEN ]]
}

# Kills every process of a host in one stroke, as a power cut does: no signal can be caught, and a
# frozen host dies as well.
cgroup_kill() { # HOST
  local pids tries
  for ((tries = 0; tries < 500; tries++)); do
    pids=$(cgroup_procs "$1")
    [[ -n $pids ]] || return 0
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null || true
    cgroup_freeze "$1" off 2>/dev/null || true
    sleep 0.02
  done
  die "$1: processes survive SIGKILL: $(paste -sd' ' <<<"$pids")"
}

cgroup_remove() { # HOST
  local mount
  while read -r mount; do
    [[ -d $mount/$LAB_CGROUP/$1 ]] || continue
    find "$mount/$LAB_CGROUP/$1" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  done < <(cgroup_mounts)
}

# Limits the memory of a whole host; 0 lifts the limit.
cgroup_memory() { # HOST BYTES
  local dir bytes=$2
  dir=$(cgroup_of "$1" memory) || die "this kernel has no memory cgroup"
  if [[ -f $dir/memory.max ]]; then
    [[ $bytes != 0 ]] || bytes=max
    echo "$bytes" >"$dir/memory.max"
  elif [[ -f $dir/memory.limit_in_bytes ]]; then
    [[ $bytes != 0 ]] || bytes=-1
    echo "$bytes" >"$dir/memory.limit_in_bytes"
  else
    die "the memory controller isn't handed to $dir: run the lab outside of a container, or enable it in the container's cgroup"
  fi
}

# Processor time of a host since its cgroup was made, in milliseconds.
cgroup_cpu_ms() { # HOST
  local dir
  dir=$(cgroup_of "$1" cpuacct) || dir=
  if [[ -f $dir/cpuacct.usage ]]; then
    echo $(($(cat "$dir/cpuacct.usage") / 1000000))
  elif [[ -f $dir/cpu.stat ]]; then
    awk '$1 == "usage_usec" { printf "%d\n", $2 / 1000 }' "$dir/cpu.stat"
  else
    echo 0
  fi
}

# Memory of a host in use, without what is only cache, in KiB.
cgroup_rss_kb() { # HOST
  local dir
  dir=$(cgroup_of "$1" memory) || dir=
  if [[ -f $dir/memory.stat ]]; then
    awk '$1 == "total_rss" || $1 == "anon" { printf "%d\n", $2 / 1024; exit }' "$dir/memory.stat"
  else
    echo 0
  fi
}
