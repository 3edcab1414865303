# A machine that is emulated: its start, its end, and what it says. Sourced by the scripts beside it.
#
# The guest has four serial lines: its console, the command's output, and what becomes of the command (`begun`, then
# `ended CODE`). Emulation needs no hardware support; it is about ten times slower than this machine.
# shellcheck shell=bash

say() { printf '%s\n' "hosts: $*" >&2; }

die() {
  say "$*"
  exit 125
}

# The release of Debian that a host runs.
suite_of() {
  case $1 in
    debian-12 | debian-12-cgroup1) echo bookworm ;;
    *) die "there is no host $1; there are debian-12 and debian-12-cgroup1" ;;
  esac
}

# What a host's kernel is told beside the usual.
kernel_words_of() {
  case $1 in
    debian-12-cgroup1) echo systemd.unified_cgroup_hierarchy=0 ;;
  esac
}

# Installs the packages that are missing. The minus keeps a newer qemu-utils out of the emulator's way.
install_packages() {
  local package missing=()
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" qemu-utils- >/dev/null
}

# Builds programs for the guest into a folder that goes at the end, unless LCTR_TEST_PROGRAMS has them already.
use_programs() {
  [ -z "${LCTR_TEST_PROGRAMS-}" ] || return 0
  LCTR_TEST_PROGRAMS=$(mktemp -d "${TMPDIR:-/var/tmp}/programs.XXXXXX")
  trap 'rm -rf --one-file-system "$LCTR_TEST_PROGRAMS"' EXIT
  "$here/programs" "$LCTR_TEST_PROGRAMS" "$@"
}

# Makes a disk of a folder, with a little room for what the guest writes.
disk_of() {
  local folder=$1 disk=$2 kib
  kib=$(du -sk --apparent-size "$folder" | cut -f1)
  mke2fs -q -t ext4 -O ^has_journal -d "$folder" "$disk" "$((kib + kib / 8 + 32768))k" >/dev/null
}

# Starts a machine; `machine` is its pid, and $1/console and $1/status fill up.
# usage: machine_start WORK HOST IMAGE OUTPUT HANDED [DISK [INIT]]     OUTPUT is a chardev: stdio,signal=off
machine_start() {
  local work=$1 host=$2 image=$3 output=$4 handed=$5 disk=${6-} init=${7-/lib/systemd/systemd}
  local arguments=(
    -machine pc -accel tcg,thread=multi -cpu max -smp 2 -m 2G
    -display none -monitor none -nodefaults -no-reboot -nic none
    -kernel "$image/kernel" -initrd "$image/initrd"
    -append "root=/dev/vda rw init=$init panic=-1 console=ttyS0 quiet $(kernel_words_of "$host")"
    -serial "file:$work/console" -chardev "$output,id=output" -serial chardev:output -serial "file:$work/status"
    -drive "file=$image/disk,if=virtio,format=raw,snapshot=on,cache=unsafe"
    -drive "file=$handed,if=virtio,format=raw,snapshot=on,cache=unsafe"
  )
  [ -z "$disk" ] || arguments+=(-drive "file=$disk,if=virtio,format=raw,cache=writeback")
  : >"$work/console"
  : >"$work/status"
  qemu-system-x86_64 "${arguments[@]}" </dev/null &
  machine=$!
}

# Ends it as a power cut does. What it had not handed to its disks is gone.
machine_cut() {
  [ -z "${machine-}" ] || kill -KILL "$machine" 2>/dev/null || true
  [ -z "${machine-}" ] || wait "$machine" 2>/dev/null || true
  machine=
}

# Waits until the machine has ended, at most LIMIT seconds, of which BOOT for its command to begin.
# usage: machine_wait WORK BOOT LIMIT     fails, having said why
machine_wait() {
  local work=$1 boot=$2 limit=$3 since=$SECONDS
  while kill -0 "$machine" 2>/dev/null; do
    if [ $((SECONDS - since)) -ge "$limit" ]; then
      machine_cut
      say "the command took longer than $limit s and was cut off"
      return 1
    fi
    if [ $((SECONDS - since)) -ge "$boot" ] && ! grep -q '^begun' "$work/status"; then
      machine_cut
      failed_boot "$work" "did not begin within $boot s"
      return 1
    fi
    sleep 0.1
  done
  local emulator=0
  wait "$machine" || emulator=$?
  machine=
  if ! grep -q '^begun' "$work/status"; then
    failed_boot "$work" "never began (the emulator ended with $emulator)"
    return 1
  fi
}

failed_boot() {
  say "the guest does not boot: its command $2; the end of its console:"
  tail -n 40 "$1/console" | tr -d '\r' | sed 's/^/  | /' >&2
}

# The exit code of the command; fails where the machine ended before it.
exit_of_command() {
  sed -n 's/^ended \([0-9]*\)$/\1/p' "$1/status" | tail -n 1 | grep .
}
