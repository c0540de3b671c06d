# The lab's network: a bridge for each site, routes between them, and the faults of a wire.
# shellcheck shell=bash
#
# A lab takes a number N that no other lab and no route of this machine uses; its addresses are
# 10.N.SITE.HOST, its bridges wlN-SITE, its veths wlNh-SITE-HOST. So two labs never meet.

readonly NET_FIRST=64 NET_LAST=126

net_table() { echo "weir_lab_$LAB_NAME"; }
net_number() { cat "$LAB_DIR/net" 2>/dev/null; }
net_namespace() { echo "weir-$LAB_NAME-$1"; }

# Takes the lab's number and makes its firewall table.
net_init() {
  if [[ ! -f $LAB_DIR/net ]]; then
    exec 8>"$WEIR_LAB/net.lock"
    flock 8
    net_pick >"$LAB_DIR/net.new"
    mv "$LAB_DIR/net.new" "$LAB_DIR/net"
    exec 8>&-
  fi
  local number
  number=$(net_number)
  echo 1 >/proc/sys/net/ipv4/ip_forward
  # A Docker on the machine filters bridged packets; the lab's own never leave its bridges.
  [[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ]] || echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables
  nft list table ip "$(net_table)" >/dev/null 2>&1 && return
  nft -f - <<NFT
table ip $(net_table) {
  chain forward { type filter hook forward priority 0; }
  chain outward { type nat hook postrouting priority 100; }
}
NFT
  if [[ -n ${LAB_INTERNET:-} ]]; then
    nft add rule ip "$(net_table)" outward ip saddr "10.$number.0.0/16" ip daddr != "10.$number.0.0/16" masquerade
  fi
}

net_pick() {
  local number taken
  taken=$(cat "$WEIR_LAB"/labs/*/net 2>/dev/null || true)
  for ((number = NET_FIRST; number <= NET_LAST; number++)); do
    grep -qx "$number" <<<"$taken" && continue
    [[ -z $(ip -4 route show root "10.$number.0.0/16") ]] || continue
    echo "$number"
    return
  done
  die "no free network between 10.$NET_FIRST.0.0/16 and 10.$NET_LAST.0.0/16; take a lab down with: LAB_NAME=... lab down"
}

# The third octet of a site: its line number in the file of sites.
site_octet() { grep -nx "$1" "$LAB_DIR/sites" | cut -d: -f1; }
site_bridge() { echo "wl$(net_number)-$(site_octet "$1")"; }
site_gateway() { echo "10.$(net_number).$(site_octet "$1").1"; }

# This machine, as hosts with public addresses see it: the first site's gateway.
net_controller() { echo "10.$(net_number).1.1"; }

site_init() { # SITE
  [[ $1 =~ ^[a-z][a-z0-9]*$ ]] || die "\"$1\" can't name a site: lower-case letters and digits only"
  grep -qsx "$1" "$LAB_DIR/sites" || echo "$1" >>"$LAB_DIR/sites"
  local bridge
  bridge=$(site_bridge "$1")
  ip link show "$bridge" >/dev/null 2>&1 && return
  # An address of its own: otherwise it takes that of one of its ports, another one when that host goes,
  # and the others don't reach it until they ask again.
  ip link add "$bridge" address "$(printf '02:00:00:00:%02x:%02x' "$(net_number)" "$(site_octet "$1")")" type bridge
  ip addr add "$(site_gateway "$1")/24" dev "$bridge"
  ip link set "$bridge" up
}

# The lowest free address of a site.
site_free_address() { # SITE
  local prefix last taken
  prefix=10.$(net_number).$(site_octet "$1")
  taken=$(cat "$LAB_DIR"/hosts/*/ip 2>/dev/null || true)
  for ((last = 11; last < 250; last++)); do
    grep -qx "$prefix.$last" <<<"$taken" || { echo "$prefix.$last"; return; }
  done
  die "site $1 is full"
}

host_veth() { # HOST
  local a b c d
  IFS=. read -r a b c d <<<"$(host_get "$1" ip)"
  echo "wl${b}h-$c-$d"
}

# The network namespace of a host with its one interface, plugged into the site's bridge.
host_plug() { # HOST
  local namespace veth site ip
  namespace=$(net_namespace "$1")
  veth=$(host_veth "$1")
  site=$(host_get "$1" site)
  ip=$(host_get "$1" ip)
  ip netns add "$namespace"
  ip link add "$veth" type veth peer name eth0 netns "$namespace"
  ip link set "$veth" master "$(site_bridge "$site")" up
  ip -n "$namespace" -batch - <<BATCH
link set lo up
addr add $ip/24 dev eth0
link set eth0 up
route add default via $(site_gateway "$site")
BATCH
  host_address "$1" "${LAB_PUBLIC:-}" "${LAB_PRIVATE:-}"
}

# Gives a host the addresses that a cloud says it has, beside the lab's own and instead of those it
# had: PUBLIC (or -) is reached from this machine and every site, PRIVATE/BITS (or -) from its own
# site alone. Two clouds may hand out the same private address.
host_address() { # HOST PUBLIC PRIVATE
  local namespace bridge dir new=${2#-} private=${3#-} old
  namespace=$(net_namespace "$1")
  bridge=$(site_bridge "$(host_get "$1" site)")
  dir=$(host_dir "$1")
  old=$(host_get "$1" public || true)
  if [[ -n $old && $old != "$new" ]]; then
    ip route del "$old/32" dev "$bridge"
    ip -n "$namespace" addr del "$old/32" dev eth0
  fi
  if [[ -n $new && $old != "$new" ]]; then
    # An address that something else on this machine leads to is not ours to take.
    [[ -z $(ip -4 route show "$new/32") ]] || die "$1: something on this machine has the address $new already"
    ip -n "$namespace" addr add "$new/32" dev eth0
    # Whoever is asked at a public address sees this machine at one address, whatever the site.
    ip route add "$new/32" dev "$bridge" src "$(net_controller)"
  fi
  echo "$new" >"$dir/public"
  old=$(host_get "$1" private || true)
  if [[ $old != "$private" ]]; then
    [[ -z $old ]] || ip -n "$namespace" addr del "$old" dev eth0
    [[ -z $private ]] || ip -n "$namespace" addr add "$private" dev eth0
  fi
  echo "$private" >"$dir/private"
}

host_unplug() { # HOST
  local veth public
  public=$(host_get "$1" public || true)
  [[ -z $public ]] || ip route del "$public/32" 2>/dev/null || true
  veth=$(host_veth "$1")
  ip link del "$veth" 2>/dev/null || true
  ip netns del "$(net_namespace "$1")" 2>/dev/null || true
}

# Packets vanish without an answer, in both directions: a firewall or a dead switch.
host_drop() { # HOST
  ip netns exec "$(net_namespace "$1")" nft -f - <<'NFT'
table inet lab_drop {
  chain in { type filter hook input priority -300; iif lo accept; drop; }
  chain out { type filter hook output priority -300; oif lo accept; drop; }
}
NFT
}

host_undrop() { # HOST
  ip netns exec "$(net_namespace "$1")" nft delete table inet lab_drop
}

# Two sites can't reach each other; hosts of each still see their own.
sites_part() { # SITE SITE
  nft add rule ip "$(net_table)" forward iifname "$(site_bridge "$1")" oifname "$(site_bridge "$2")" drop
  nft add rule ip "$(net_table)" forward iifname "$(site_bridge "$2")" oifname "$(site_bridge "$1")" drop
}

sites_join() { nft flush chain ip "$(net_table)" forward; }

# Removes all of the lab's network, also what a half-made lab left.
net_remove() {
  local number name
  nft delete table ip "$(net_table)" 2>/dev/null || true
  for name in /run/netns/"weir-$LAB_NAME"-*; do
    [[ ! -e $name ]] || ip netns del "$(basename "$name")" 2>/dev/null || true
  done
  number=$(net_number) || return 0
  for name in /sys/class/net/"wl$number-"* /sys/class/net/"wl${number}h-"*; do
    [[ ! -e $name ]] || ip link del "$(basename "$name")" 2>/dev/null || true
  done
}
