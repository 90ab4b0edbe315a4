"""The volumes of a Linux machine from /proc/self/mountinfo and /etc/fstab. Pure functions; the format is in proc_pid_mountinfo(5).

Most lines of that table are no volume an employee could fill: kernel interfaces, images that are read-only by nature, layers of
containers, the same file system shown a second time. What is left out, and why, is written beside each rule, because each
line that slips through is a false alarm on a healthy machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from diagnostics.platforms.volumes import Role, Volume

# File systems on disks and memory that hold files and are made to be written.
WRITABLE: Final = frozenset({
    "apfs", "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "hfs", "hfsplus", "jfs",
    "nilfs2", "ntfs", "ntfs3", "reiserfs", "tmpfs", "ufs", "vfat", "xfs", "zfs", "msdos",
})  # fmt: skip
REMOTE: Final = frozenset({
    "9p", "afs", "ceph", "cifs", "coda", "davfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs",
    "sshfs", "virtiofs", "vboxsf", "vmhgfs", "prl_fs",
})  # fmt: skip
# FUSE file systems of the desktop itself and of containers: windows onto other places, never a place of their own.
FUSE_WINDOWS: Final = frozenset({
    "gvfsd-fuse", "portal", "lxcfs", "snapfuse", "squashfuse", "fuse-overlayfs", "revokefs-fuse", "archivemount",
    "archive-mounter", "appimage", "dumpfs", "libguestfs", "mount-zip", "fuseiso", "wsl", "cgmfs", "vmware-vmblock",
    "kio-fuse",
})  # fmt: skip
FUSE_REMOTE: Final = frozenset({
    "sshfs", "rclone", "s3fs", "gcsfuse", "onedriver", "davfs2", "curlftpfs", "google-drive-ocamlfuse", "glusterfs",
    "ceph-fuse", "ceph", "juicefs", "goofys", "geesefs", "mount-s3", "blobfuse", "blobfuse2", "smbnetfs",
    "seaweedfs", "httpdirfs", "hdfs", "onedrive", "dropbox", "jmtpfs", "simple-mtpfs", "ifuse", "gphotofs", "vmhgfs-fuse",
})  # fmt: skip
# The kernel's own trees, service sandboxes and images: nothing an employee writes to lives below these.
NOT_BELOW: Final = (
    "/proc", "/sys", "/dev", "/run", "/var/run", "/snap", "/var/snap", "/var/lib/snapd", "/var/lib/docker",
    "/var/lib/containers", "/var/lib/containerd", "/var/lib/kubelet", "/var/lib/lxd", "/var/lib/lxc",
    "/var/lib/flatpak", "/gnu/store", "/nix/store", "/etc", "/boot/efi", "/efi", "/boot/firmware", "/mnt/wslg",
    "/usr/lib/wsl", "/usr/lib/modules", "/init",
)  # fmt: skip
BELOW_AFTER_ALL: Final = ("/run/media", "/var/run/media")  # where desktops mount USB sticks
ALSO: Final = frozenset({"/run", "/dev/shm", "/run/shm"})  # noqa: S108 -- names to recognise, nothing is written there
# Places that careful administrators and image-based systems keep read-only on purpose.
READ_ONLY_ON_PURPOSE: Final = (
    "/boot",
    "/usr",
    "/opt",
    "/sysroot",
    "/ostree",
    "/cdrom",
    "/media/cdrom",
    "/mnt/cdrom",
    "/lib/live",
    "/recovery",
)
TINY_BYTES: Final = 1 << 20  # below this it is a marker or a lock, not a place for files

_SIZE = re.compile(r"^(\d+)([kmg%]?)$", re.IGNORECASE)


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """One line of mountinfo.

    `root` is the part of the file system that is shown; `options` belong to the mount, `super_options` to the file system.
    """

    device: str
    root: str
    point: str
    options: frozenset[str]
    kind: str
    source: str
    super_options: frozenset[str]


def parse_mountinfo(text: str) -> tuple[Mount, ...]:
    """The mounts in the order they were made; lines that are no mount are passed over."""
    mounts = []
    for line in text.splitlines():
        left, separator, right = line.partition(" - ")
        one, two = left.split(" "), right.split(" ")
        if not separator or len(one) < 6 or len(two) < 2:  # noqa: PLR2004 -- the columns of the format
            continue
        mounts.append(
            Mount(
                device=one[2],
                root=unescape(one[3]),
                point=unescape(one[4]),
                options=frozenset(one[5].split(",")),
                kind=two[0],
                source=unescape(two[1]),
                super_options=frozenset(two[2].split(",") if len(two) > 2 else ()),  # noqa: PLR2004 -- as above
            )
        )
    return tuple(mounts)


def unescape(word: str) -> str:
    """A path as the kernel writes it in its tables, with blanks and backslashes as octal numbers, put back."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), word)


def parse_fstab(text: str) -> dict[str, frozenset[str]]:
    """The options of every mount point that /etc/fstab names."""
    table = {}
    for line in text.splitlines():
        fields = line.split("#", 1)[0].split()
        if len(fields) >= 4:  # noqa: PLR2004 -- device, point, kind, options
            table[unescape(fields[1]).rstrip("/") or "/"] = frozenset(fields[3].split(","))
    return table


def volumes(
    mounts: Iterable[Mount],
    *,
    home: str,
    fstab: Mapping[str, frozenset[str]],
    disks: Mapping[str, Disk] | None = None,
    image_based: bool = False,
) -> tuple[Volume, ...]:
    """The volumes among the mounts, each file system once, the system's first.

    Args:
        home: the employee's home folder.
        fstab: what `parse_fstab` gave.
        disks: by device number ("8:1"), as far as they are known.
        image_based: the system itself is an image that is read-only by design (ostree and the like).
    """
    seen = list(mounts)
    visible = {mount.point: mount for mount in seen}  # a later mount hides an earlier one on the same point
    home_mount = holding(home, visible)
    found: dict[str, Volume] = {}
    for mount in sorted(
        visible.values(), key=lambda one: (one.point not in {"/", home_mount}, one.root != "/", len(one.point))
    ):
        if not _counts(mount, home_mount=home_mount):
            continue
        # Every dataset of a ZFS pool has a number of its own, but they share the pool's space.
        identity = mount.device if mount.kind != "zfs" else mount.source.partition("/")[0]
        if identity in found:
            continue
        disk = (disks or {}).get(mount.device, Disk())
        role = _role(mount, home_mount=home_mount)
        read_only = "ro" in mount.options or _stopped(mount)
        because = _because(mount, role=role, disk=disk, fstab=fstab, image_based=image_based) if read_only else ""
        found[identity] = Volume(
            mount=mount.point,
            source=mount.source,
            kind=mount.kind,
            role=role,
            disk=disk.name,
            read_only=read_only,
            read_only_because=because,
            remote=is_remote(mount.kind, mount.source),
            removable=disk.removable,
        )
    return tuple(found.values())


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """The disk under a volume: its kernel name, whether it can be taken out, and whether it refuses writing by itself."""

    name: str = ""
    removable: bool = False
    write_protected: bool = False


def is_remote(kind: str, source: str) -> bool:
    """Whether the files live on another computer or in a cloud: every look may hang, every write costs somebody's line."""
    if kind in REMOTE:
        return True
    subtype = kind.removeprefix("fuse.")
    fuse = kind.startswith("fuse") and kind != "fuseblk"
    return fuse and (subtype in FUSE_REMOTE or "://" in source or bool(re.match(r"^[\w.@-]+:", source)))


def holding(path: str, points: Iterable[str]) -> str:
    """The mount point that holds `path`: the longest that is a parent of it."""
    holders = [point for point in points if path == point or path.startswith(point.rstrip("/") + "/")]
    return max(holders, key=len, default="/")


def _below(point: str, folders: Iterable[str]) -> bool:
    return any(point == folder or point.startswith(folder + "/") for folder in folders)


def _counts(mount: Mount, *, home_mount: str) -> bool:
    if mount.kind == "overlay":
        return mount.point == "/"  # the root of a container or a live system; other overlays are somebody's layers
    if not _holds_files(mount.kind):
        return False
    if mount.point in {"/", home_mount} or mount.point in ALSO:
        return True
    hidden = _below(mount.point, NOT_BELOW) and not _below(mount.point, BELOW_AFTER_ALL)
    program = mount.point.startswith("/tmp/.mount_")  # noqa: S108 -- a program that is an image, opened where it lies
    marker = mount.kind == "tmpfs" and 0 < size_of(mount.super_options) < TINY_BYTES
    part = mount.root != "/" and mount.kind != "btrfs"  # a folder of a file system that is shown elsewhere
    return not (hidden or program or marker or part)


def _holds_files(kind: str) -> bool:
    if kind == "fuse" or kind.startswith("fuse."):
        return kind.removeprefix("fuse.") not in FUSE_WINDOWS
    return kind in WRITABLE or kind in REMOTE


def size_of(options: Iterable[str]) -> int:
    """The `size=` of a tmpfs in bytes, 0 where it is not given."""
    for option in options:
        if option.startswith("size=") and (match := _SIZE.match(option[5:])) and match[2] != "%":
            return int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[match[2].lower()]
    return 0


def _role(mount: Mount, *, home_mount: str) -> Role:
    if mount.point == "/":
        return Role.SYSTEM
    if mount.point == home_mount:
        return Role.HOME
    if mount.point == "/boot":
        return Role.BOOT
    return Role.SCRATCH if mount.kind == "tmpfs" else Role.DATA


def _stopped(mount: Mount) -> bool:
    """The kernel itself stopped writing after an error.

    The file system is then read-only though its mount is not, or it says so by name.
    """
    return bool(mount.super_options & {"emergency_ro", "shutdown"}) or (
        "ro" in mount.super_options and "rw" in mount.options
    )


def _because(mount: Mount, *, role: Role, disk: Disk, fstab: Mapping[str, frozenset[str]], image_based: bool) -> str:
    if mount.kind not in WRITABLE and not mount.kind.startswith("fuse"):
        return ""  # a read-only share or overlay is somebody's decision
    if _stopped(mount):
        return "error"
    on_purpose = (
        "ro" in fstab.get(mount.point, frozenset())
        or mount.point in ALSO
        or _below(mount.point, READ_ONLY_ON_PURPOSE)
        or "ro" not in mount.super_options  # only this view of it is read-only: somebody asked for that
        or (disk.removable and disk.write_protected)  # the lock switch of a card
        or (image_based and role is Role.SYSTEM)
    )
    return "" if on_purpose else "mounted"
