# Shared by every script of the lab: where things are kept, how to speak, what is needed.
# shellcheck shell=bash

# Everything the lab makes lives below this folder, never in the checkout.
WEIR_LAB=${WEIR_LAB:-/var/tmp/weir-lab}
readonly WEIR_LAB

# A shell that became root by `su` may lack the folders where nft and debootstrap are.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { echo "lab: $*" >&2; }

die() {
  say "$*"
  exit 1
}

# The tools the lab calls, each with the Debian package that brings it.
readonly LAB_TOOLS=(
  "systemd-nspawn systemd-container"
  "debootstrap debootstrap"
  "mksquashfs squashfs-tools"
  "nft nftables"
  "ip iproute2"
  "nsenter util-linux"
  "flock util-linux"
  "apt-ftparchive apt-utils"
  "dpkg-scanpackages dpkg-dev"
  "ssh-keygen openssh-client"
  "sshd openssh-server"
)

# Prints the Debian packages whose tools are missing, one per line; nothing when all are there.
missing_packages() {
  local entry
  for entry in "${LAB_TOOLS[@]}"; do
    command -v "${entry%% *}" >/dev/null 2>&1 || echo "${entry##* }"
  done | sort -u
}

# Prints what the running kernel lacks, one per line, with the way to get it.
missing_kernel_parts() {
  local fs
  for fs in overlay squashfs; do
    grep -qw "$fs" /proc/filesystems || modprobe -q "$fs" 2>/dev/null ||
      echo "file system \"$fs\": load it with \`modprobe $fs\`, or boot a kernel with CONFIG_$(kernel_option "$fs")"
  done
  [[ -e /dev/loop-control ]] || modprobe -q loop 2>/dev/null ||
    echo "loop devices: load them with \`modprobe loop\`, or boot a kernel with CONFIG_BLK_DEV_LOOP"
  [[ -d /sys/fs/cgroup ]] || echo "cgroups: mount them at /sys/fs/cgroup"
  ip link add "wlp$$" type veth peer name "wlq$$" 2>/dev/null && ip link del "wlp$$" ||
    echo "veth pairs: load them with \`modprobe veth\`, run with CAP_NET_ADMIN, or boot a kernel with CONFIG_VETH"
}

kernel_option() {
  case $1 in
    overlay) echo OVERLAY_FS ;;
    squashfs) echo SQUASHFS ;;
  esac
}

need_root() {
  [[ $(id -u) == 0 ]] ||
    die "the lab of real hosts needs root: it mounts file systems and makes network namespaces. Run it as root (sudo -E), or leave out the tests that use it."
}

# Stops with a list of what is missing, before anything is made.
preflight() {
  need_root
  local packages parts
  packages=$(missing_packages | paste -sd' ')
  [[ -z $packages ]] || die "tools are missing; install them with tests/lab/setup, or: apt-get install $packages"
  parts=$(missing_kernel_parts)
  [[ -z $parts ]] || die "this kernel can't run the lab; it lacks:"$'\n'"$parts"
}

# True when a folder's file system can hold an overlay's upper layer (an overlay itself can't).
can_hold_upper() { [[ $(stat -f -c %T "$1") != overlayfs ]]; }

# The folder of the image made by this version of `bake`: its name is a digest of the script, so
# a changed script bakes anew and an unchanged one never does.
image_dir() {
  local digest
  digest=$(sha256sum "$LAB_HOME/bake" | cut -c1-12)
  echo "$WEIR_LAB/images/$digest"
}
