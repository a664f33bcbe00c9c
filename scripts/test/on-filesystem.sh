#!/bin/sh
# on-filesystem.sh TYPE DIRECTORY COMMAND...: runs COMMAND with a fresh file system of that type mounted on DIRECTORY.
#
# Start it in a mount namespace of its own (unshare --mount). The image is unlinked as soon as the loop device holds it and the
# device clears itself, so that nothing stays behind however this ends: the kernel unmounts when the last process is gone.
set -eu
type=$1 directory=$2
shift 2

make_image() {
  image=$(mktemp)
  truncate -s 6G "$image"
  "mkfs.$type" $1 "$image" >/dev/null
  mount -o loop "$image" "$directory"
  rm "$image"
}

case $type in
  ext4) make_image -qF ;;
  xfs) make_image -q ;;
  btrfs) make_image -q ;;
  tmpfs) mount -t tmpfs -o size=6G tmpfs "$directory" ;;
  overlay)
    # Upper and lower on a tmpfs of their own: the file system below TMPDIR may itself be an overlay, which cannot be an upper.
    mount -t tmpfs -o size=6G tmpfs "$directory"
    mkdir "$directory/lower" "$directory/upper" "$directory/work"
    mount -t overlay -o "lowerdir=$directory/lower,upperdir=$directory/upper,workdir=$directory/work" overlay "$directory"
    ;;
  *) echo "on-filesystem.sh: unknown type $type" >&2 && exit 2 ;;
esac
chmod 1777 "$directory"
exec "$@"
