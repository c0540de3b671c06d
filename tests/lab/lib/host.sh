# A host: its disk, its keys, and its life from power-on to power loss.
# shellcheck shell=bash
#
# Each host has a folder $LAB_DIR/hosts/NAME:
#   site, ip     where it is                      pid    of the loop that keeps nspawn running
#   disk/        the overlay's upper layer        root/  the mounted file system of the host
#   disk-size    the size of a small disk         log    what nspawn and the host's console said
#   known_host   its line for known_hosts
#   layers       what lies over the base    public, private    the addresses that a cloud gave it

host_dir() { echo "$LAB_DIR/hosts/$1"; }
host_get() { cat "$LAB_DIR/hosts/$1/$2" 2>/dev/null; }
host_names() { find "$LAB_DIR/hosts" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' 2>/dev/null | sort -V; }

host_need() { # HOST
  [[ -n ${1:-} ]] || die "name a host; this lab has: $(host_names | paste -sd' ')"
  [[ -d $(host_dir "$1") ]] || die "no host \"$1\" in lab \"$LAB_NAME\"; it has: $(host_names | paste -sd' ')"
}

# True while the loop that keeps the host running exists.
host_alive() { # HOST
  local pid state
  pid=$(host_get "$1" pid) && [[ -n $pid ]] || return 1
  state=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c1)
  [[ -n $state && $state != Z ]]
}

# The process that is pid 1 inside the host (and in no container within the host).
host_leader() { # HOST
  local pid
  for pid in $(cgroup_procs "$1"); do
    if [[ $(awk '$1 == "NSpid:" { print NF, $3 }' "/proc/$pid/status" 2>/dev/null) == "3 1" ]]; then
      echo "$pid"
      return
    fi
  done
  return 1
}

# Mounts the read-only layers of a host, once for the lab; prints them as an overlay's lowerdir.
disk_layers() { # HOST
  local image layer mounted lower=
  image=$(cat "$LAB_DIR/image")
  for layer in $(host_get "$1" layers) base; do
    mounted=$LAB_DIR/layer/$layer
    if ! mountpoint -q "$mounted"; then
      mkdir -p "$mounted"
      case $layer in
        base) mount -o loop,ro "$image/base.sqfs" "$mounted" ;;
        *)
          [[ -f $image/layer-$layer.sqfs ]] || die "no layer \"$layer\" in $image"
          mount -o loop,ro "$image/layer-$layer.sqfs" "$mounted"
          ;;
      esac
    fi
    lower+=${lower:+:}$mounted
  done
  echo "$lower"
}

# Mounts the host's disk: what it wrote lies over the image and outlives a crash.
disk_mount() { # HOST
  local dir
  dir=$(host_dir "$1")
  mkdir -p "$dir/disk" "$dir/root"
  mountpoint -q "$dir/root" && return
  if ! mountpoint -q "$dir/disk"; then
    if [[ -f $dir/disk-size ]]; then
      mount -t tmpfs -o "size=$(cat "$dir/disk-size"),mode=755" weir-lab "$dir/disk"
    elif ! can_hold_upper "$dir/disk"; then
      mount -t tmpfs -o mode=755 weir-lab "$dir/disk"
    fi
  fi
  mkdir -p "$dir/disk/upper" "$dir/disk/work"
  mount -t overlay -o "lowerdir=$(disk_layers "$1"),upperdir=$dir/disk/upper,workdir=$dir/disk/work,index=off,metacopy=off" \
    weir-lab "$dir/root"
}

# Unmounts the root; with `all`, the disk as well (which empties a small one).
disk_unmount() { # HOST [all]
  local dir
  dir=$(host_dir "$1")
  ! mountpoint -q "$dir/root" || umount -l "$dir/root"
  if [[ ${2:-} == all ]] && mountpoint -q "$dir/disk"; then umount -l "$dir/disk"; fi
}

# Fills the disk to its last byte. Only a disk of limited size: filling the machine's own would
# hurt more than the host.
disk_fill() { # HOST
  local dir
  dir=$(host_dir "$1")
  [[ -f $dir/disk-size ]] || die "$1 shares this machine's disk; make the lab with LAB_DISK=256m to have disks that can be filled"
  dd if=/dev/zero of="$dir/root/var/.lab-fill" bs=64k 2>/dev/null || true
  # What is left of the last block goes as well.
  dd if=/dev/zero of="$dir/root/var/.lab-fill" bs=512 oflag=append conv=notrunc 2>/dev/null || true
  say "$1: $(df -h --output=size,avail "$dir/disk" | tail -n 1 | awk '{ print $1 " disk, " $2 " free" }')"
}

disk_unfill() { # HOST
  rm -f "$(host_dir "$1")/root/var/.lab-fill"
}

# A new host with an empty disk: plugged in, keyed, known; not started.
host_make() { # HOST SITE IP
  local dir
  dir=$(host_dir "$1")
  mkdir -p "$dir"
  echo "$2" >"$dir/site"
  echo "$3" >"$dir/ip"
  [[ -z ${LAB_DISK:-} ]] || echo "$LAB_DISK" >"$dir/disk-size"
  echo "${LAB_LAYERS-$(cat "$LAB_DIR/layers")}" >"$dir/layers"
  [[ -z ${LAB_SEED:-} ]] || cp -a "$LAB_SEED" "$dir/seed"
  site_init "$2"
  host_plug "$1"
  host_imprint "$1"
}

# Gives a fresh disk the host's name and keys. The host key is made here, before boot, so that
# known_hosts is right from the first connection: no test ever trusts blindly. A host with a seed
# gets that and no key: who may log in, and what it shows, is the seed's business.
host_imprint() { # HOST
  local dir root
  dir=$(host_dir "$1")
  root=$dir/root
  disk_mount "$1"
  echo "$1" >"$root/etc/hostname"
  # As Debian's installer does it; a service that binds its own name is out of reach here too.
  printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$1" >"$root/etc/hosts"
  tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
  if [[ -d $dir/seed ]]; then
    tar -C "$dir/seed" -cf - . | tar -C "$root" -xf - --no-same-owner --no-overwrite-dir
    return
  fi
  ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$root/etc/ssh/ssh_host_ed25519_key" </dev/null
  install -m 600 "$LAB_DIR/id_lab.pub" "$root/root/.ssh/authorized_keys"
  echo "$(host_get "$1" ip) $(cut -d' ' -f1,2 "$root/etc/ssh/ssh_host_ed25519_key.pub")" >"$dir/known_host"
  (
    flock 6
    cat "$LAB_DIR"/hosts/*/known_host >"$LAB_DIR/known_hosts.new"
    mv "$LAB_DIR/known_hosts.new" "$LAB_DIR/known_hosts"
  ) 6>"$LAB_DIR/known_hosts.lock"
}

# Powers the host on and returns at once; host_wait waits for its sshd.
host_start() { # HOST
  host_alive "$1" && die "$1 runs already"
  disk_mount "$1"
  cgroup_make "$1"
  local dir resolv=off
  dir=$(host_dir "$1")
  [[ -z ${LAB_INTERNET:-} ]] || resolv=copy-host
  local nspawn=(
    systemd-nspawn --quiet --directory="$dir/root" --machine="weir-$LAB_NAME-$1" --hostname="$1"
    --register=no --keep-unit --kill-signal=SIGRTMIN+3
    --network-namespace-path="/run/netns/$(net_namespace "$1")"
    --resolv-conf="$resolv" --timezone=off --link-journal=no --console=pipe
    --bind-ro="$(cat "$LAB_DIR/image")/pool:/srv/pool"
    /sbin/lab-init
  )
  host_keep "$1" "${nspawn[@]}" </dev/null >>"$dir/log" 2>&1 &
  echo $! >"$dir/pid"
  disown
}

# Runs nspawn until the host powers off; nspawn exits with 133 when the host reboots.
host_keep() { # HOST COMMAND...
  local host=$1 status
  shift
  trap - EXIT
  # Locks of the command that started this host must not live as long as the host.
  exec 8>&- 9>&-
  cgroup_enter "$host" keeper
  while :; do
    status=0
    host_run "$host" "$@" || status=$?
    [[ $status == 133 ]] || exit "$status"
    echo "lab: $host reboots"
  done
}

# One boot of the host, until nspawn exits.
host_run() ( # HOST COMMAND...
  cgroup_enter "$1" machine
  shift
  exec setsid -w "$@"
)

# Waits until the host's sshd greets, at most a minute. With a seed it is the one who waits for it that
# knows when it is ready.
host_wait() { # HOST
  local ip banner deadline=$((SECONDS + 60))
  [[ ! -d $(host_dir "$1")/seed ]] || return 0
  ip=$(host_get "$1" ip)
  while ((SECONDS < deadline)); do
    banner=
    if exec 7<>"/dev/tcp/$ip/22"; then
      IFS= read -r -t 5 banner <&7 || true
      exec 7>&-
    fi 2>/dev/null
    [[ $banner != SSH-* ]] || return 0
    host_alive "$1" || die "$1 died while booting; the end of $(host_dir "$1")/log:"$'\n'"$(tail -n 5 "$(host_dir "$1")/log")"
    sleep 0.05
  done
  die "$1: no sshd after a minute; see $(host_dir "$1")/log, or look inside with: lab sh $1 systemctl --failed"
}

# A clean shutdown, as `poweroff` in the host; power loss after half a minute.
host_stop() { # HOST
  local leader tries
  host_alive "$1" || return 0
  cgroup_freeze "$1" off
  if leader=$(host_leader "$1"); then kill -s RTMIN+4 "$leader" 2>/dev/null || true; fi
  for ((tries = 0; tries < 600; tries++)); do
    host_alive "$1" || break
    sleep 0.05
  done
  host_crash "$1"
}

# Power loss: every process gone at once, the disk as it was at that moment.
host_crash() { # HOST
  cgroup_kill "$1"
  disk_unmount "$1"
}

# The machine is replaced: same name and address, empty disk, another host key.
host_wipe() { # HOST
  local dir
  dir=$(host_dir "$1")
  host_crash "$1"
  disk_unmount "$1" all
  rm -rf --one-file-system "$dir/disk"
  host_imprint "$1"
  host_start "$1"
}

# Everything of a host away. Safe on a host that was half made.
host_remove() { # HOST
  cgroup_kill "$1"
  disk_unmount "$1" all
  cgroup_remove "$1"
  host_unplug "$1"
  rm -rf --one-file-system "$(host_dir "$1")"
}
