"""Which mounts of a Linux machine are volumes, and which of these are read-only by mistake."""

# ruff: noqa: S108 -- names of mount points; nothing is written there

from __future__ import annotations

import pytest

from diagnostics.platforms.linux_volumes import (
    Disk,
    is_remote,
    parse_fstab,
    parse_mountinfo,
    size_of,
    unescape,
    volumes,
)

UBUNTU = """\
22 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
23 28 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
24 28 0:5 / /dev rw,nosuid,relatime shared:2 - devtmpfs udev rw,size=8081036k,nr_inodes=2020259,mode=755,inode64
26 28 0:23 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,size=1624168k,mode=755,inode64
28 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro
30 24 0:25 / /dev/shm rw,nosuid,nodev shared:4 - tmpfs tmpfs rw,inode64
31 26 0:26 / /run/lock rw,nosuid,nodev,noexec,relatime shared:6 - tmpfs tmpfs rw,size=5120k,inode64
120 28 7:0 / /snap/core22/1621 ro,nodev,relatime shared:61 - squashfs /dev/loop0 ro,errors=continue,threads=single
123 28 7:1 / /snap/firefox/5091 ro,nodev,relatime shared:63 - squashfs /dev/loop1 ro,errors=continue,threads=single
130 28 259:1 / /boot/efi rw,relatime shared:71 - vfat /dev/nvme0n1p1 rw,fmask=0077,dmask=0077,codepage=437
140 26 0:45 / /run/user/1000 rw,nosuid,nodev,relatime shared:80 - tmpfs tmpfs rw,size=1624164k,nr_inodes=406041,mode=700
141 140 0:46 / /run/user/1000/gvfs rw,nosuid,nodev,relatime shared:90 - fuse.gvfsd-fuse gvfsd-fuse rw,user_id=1000
142 140 0:47 / /run/user/1000/doc rw,nosuid,nodev,relatime shared:91 - fuse.portal portal rw,user_id=1000,group_id=1000
150 26 0:50 / /run/credentials/systemd-sysusers.service ro,nosuid,nodev,noexec,relatime - tmpfs tmpfs ro,size=1024k
160 28 8:17 / /media/anna/STICK rw,nosuid,nodev,relatime shared:99 - vfat /dev/sdb1 rw,uid=1000,gid=1000
"""
SILVERBLUE = """\
60 1 0:33 /root/ostree/deploy/fedora/deploy/abc.0 / rw,relatime shared:1 - btrfs /dev/mapper/luks-1 rw,subvolid=256,subvol=/root
61 60 0:33 /root/ostree/deploy/fedora/deploy/abc.0/usr /usr ro,relatime shared:2 - btrfs /dev/mapper/luks-1 rw,subvolid=256
62 60 0:33 /root/ostree/deploy/fedora/var /var rw,relatime shared:4 - btrfs /dev/mapper/luks-1 rw,subvol=/root
63 60 0:33 /root /sysroot ro,relatime shared:3 - btrfs /dev/mapper/luks-1 rw,subvol=/root
70 60 0:33 /home /var/home rw,relatime shared:40 - btrfs /dev/mapper/luks-1 rw,subvolid=257,subvol=/home
71 60 252:1 / /boot rw,relatime shared:41 - ext4 /dev/nvme0n1p2 rw
"""
CONTAINER = """\
600 500 0:60 / / rw,relatime master:30 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A:/var/lib/docker/overlay2/l/B
601 600 0:63 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
602 600 0:64 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
605 602 0:62 / /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k
606 600 259:2 /var/lib/docker/containers/x/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/nvme0n1p2 rw
607 600 259:2 /srv/config /config ro,relatime - ext4 /dev/nvme0n1p2 rw
610 601 0:67 / /proc/acpi ro,relatime - tmpfs tmpfs ro
611 601 0:68 / /proc/scsi ro,relatime - tmpfs tmpfs ro
612 600 0:69 / /sys/firmware ro,relatime - tmpfs tmpfs ro
613 600 0:70 / /run/secrets/kubernetes.io/serviceaccount ro,relatime - tmpfs tmpfs ro,size=16384000k
"""
READ_ONLY_CONTAINER = CONTAINER.replace(
    "/ / rw,relatime master:30 - overlay overlay rw", "/ / ro,relatime master:30 - overlay overlay ro"
)
WSL = """\
72 60 8:32 / / rw,relatime - ext4 /dev/sdc rw,discard,errors=remount-ro,data=ordered
73 72 0:28 / /mnt/wsl rw,relatime shared:1 - tmpfs none rw
74 72 0:29 / /usr/lib/wsl/drivers ro,nosuid,nodev,noatime - 9p drivers ro,aname=drivers;fmask=222
80 72 0:30 / /init ro - rootfs rootfs ro,size=8119160k
85 72 0:50 / /mnt/c rw,noatime - 9p C:\\134 rw,dirsync,aname=drvfs;path=C:\\;uid=1000
90 72 0:60 / /mnt/wslg rw,relatime shared:2 - tmpfs none rw
91 90 0:62 / /mnt/wslg/distro ro,relatime shared:3 - ext4 /dev/sdc ro
"""
LIVE = """\
25 1 0:24 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/run/live/rootfs/filesystem.squashfs/
26 25 8:1 / /run/live/medium ro,noatime shared:2 - iso9660 /dev/sr0 ro,norock
27 25 7:0 / /run/live/rootfs/filesystem.squashfs ro,noatime shared:3 - squashfs /dev/loop0 ro
28 25 11:0 / /media/cdrom0 ro,nosuid,nodev - udf /dev/sr0 ro
29 25 0:40 / /tmp rw,nosuid,nodev,relatime shared:4 - tmpfs tmpfs rw
"""
HEALTHY = {
    "ubuntu": (UBUNTU, {"/", "/run", "/dev/shm", "/media/anna/STICK"}),
    "silverblue": (SILVERBLUE, {"/", "/boot"}),
    "container": (CONTAINER, {"/", "/dev/shm"}),
    "read-only container": (READ_ONLY_CONTAINER, {"/", "/dev/shm"}),
    "wsl": (WSL, {"/", "/mnt/wsl", "/mnt/c"}),
    "live system": (LIVE, {"/", "/tmp"}),
}


def look(
    text: str, *, fstab: str = "", disks: dict[str, Disk] | None = None, home: str = "/home/anna", image: bool = False
):
    found = volumes(parse_mountinfo(text), home=home, fstab=parse_fstab(fstab), disks=disks, image_based=image)
    return {one.mount: one for one in found}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_machine_has_its_volumes_and_none_is_read_only_by_mistake(name):
    text, expected = HEALTHY[name]
    found = look(text)
    assert set(found) == expected
    assert {one.mount: one.read_only_because for one in found.values() if one.read_only_because} == {}


def mounted(options: str, super_options: str, *, kind: str = "ext4", point: str = "/data", root: str = "/") -> str:
    return f"28 1 8:2 / / rw - ext4 /dev/sda2 rw\n90 28 8:3 {root} {point} {options} shared:1 - {kind} /dev/sda3 {super_options}\n"


@pytest.mark.parametrize(
    ("what", "text", "because"),
    [
        ("the kernel stopped it, older kernels", mounted("rw,relatime", "ro,errors=remount-ro"), "error"),
        ("the kernel stopped it, newer kernels", mounted("rw,relatime", "rw,emergency_ro"), "error"),
        ("remounted by hand", mounted("ro,relatime", "ro"), "mounted"),
        ("a tmpfs remounted by hand", mounted("ro", "ro,size=4096k", kind="tmpfs"), "mounted"),
        ("only this view is read-only", mounted("ro,relatime", "rw"), ""),
        ("an image that cannot be written", mounted("ro", "ro", kind="squashfs"), None),
        ("a marker of a few kilobytes", mounted("ro", "ro,size=4k", kind="tmpfs"), None),
        ("a folder shown a second time", mounted("ro", "ro", root="/folder"), None),
        ("the boot files of a careful administrator", mounted("ro", "ro", point="/boot"), ""),
        ("programs on an image", mounted("ro", "ro", point="/usr"), ""),
        ("a share", mounted("ro", "ro", kind="nfs4"), ""),
    ],
)
def test_read_only_is_a_fault_only_where_nothing_says_that_it_is_meant(what, text, because):
    found = [one for one in look(text).values() if one.mount != "/"]
    assert [one.read_only_because for one in found] == ([] if because is None else [because]), what


def test_fstab_may_say_that_it_is_meant():
    text = mounted("ro,relatime", "ro", point="/archive")
    assert look(text, fstab="UUID=1 /archive ext4 defaults,ro 0 2 # kept")["/archive"].read_only_because == ""
    assert look(text, fstab="UUID=1 /archive ext4 defaults 0 2")["/archive"].read_only_because == "mounted"


def test_the_lock_switch_of_a_card_is_meant_and_a_write_protected_image_is_not():
    text = mounted("ro,relatime", "ro", point="/media/anna/CARD")
    card = {"8:3": Disk(name="mmcblk0", removable=True, write_protected=True)}
    image = {"8:3": Disk(name="loop0", removable=False, write_protected=True)}
    assert look(text, disks=card)["/media/anna/CARD"].read_only_because == ""
    assert look(text, disks=image)["/media/anna/CARD"].read_only_because == "mounted"


def test_an_image_based_system_may_have_a_read_only_root():
    text = "60 1 0:33 / / ro,relatime shared:1 - ext4 /dev/sda3 ro\n"
    assert look(text, image=True)["/"].read_only_because == ""
    assert look(text)["/"].read_only_because == "mounted"


def test_the_home_volume_and_the_system_volume_are_told_apart():
    text = mounted("rw", "rw", point="/home")
    found = look(text)
    assert (found["/"].role, found["/home"].role) == ("system", "home")
    assert look(UBUNTU)["/"].role == "system"


def test_a_later_mount_hides_an_earlier_one_on_the_same_point():
    text = mounted("rw", "rw") + "91 90 0:77 / /data rw - tmpfs tmpfs rw,size=9m\n"
    assert look(text)["/data"].kind == "tmpfs"


def test_a_name_with_blanks_is_put_back():
    text = mounted("rw", "rw", point="/media/anna/My\\040Stick\\134")
    assert "/media/anna/My Stick\\" in look(text)
    assert unescape("a\\011b") == "a\tb"


@pytest.mark.parametrize(
    "line", ["", "garbage", "1 2 3", "28 1 8:2 / / rw no separator ext4 /dev/sda2 rw", " - ", "1 2 3 4 5 6 - x"]
)
def test_lines_that_are_no_mount_are_passed_over(line):
    assert parse_mountinfo(line) == ()


@pytest.mark.parametrize(
    ("kind", "source", "remote"),
    [
        ("nfs4", "nas:/home", True),
        ("cifs", "//files/home", True),
        ("fuse.sshfs", "anna@host:", True),
        ("fuse.rclone", "drive:", True),
        ("fuse.unheard-of", "s3://bucket", True),
        ("fuse.unheard-of", "box:", True),
        ("fuseblk", "/dev/sdb1", False),
        ("fuse.gocryptfs", "/home/anna/.vault", False),
        ("ext4", "/dev/sda1", False),
        ("fuse", "slow", False),
    ],
)
def test_what_lives_on_another_computer_is_known(kind, source, remote):
    assert is_remote(kind, source) is remote


@pytest.mark.parametrize(
    ("option", "size"), [("size=4k", 4096), ("size=2m", 2 << 20), ("size=1g", 1 << 30), ("size=50%", 0), ("x=1", 0)]
)
def test_the_size_of_a_tmpfs_is_read(option, size):
    assert size_of({option, "rw"}) == size


ZFS = """\
30 1 0:30 / / rw,relatime shared:1 - zfs rpool/ROOT/ubuntu rw,xattr
31 30 0:31 / /var/log rw,relatime shared:2 - zfs rpool/ROOT/ubuntu/var/log rw,xattr
32 30 0:32 / /home/anna rw,relatime shared:3 - zfs rpool/USERDATA/anna rw,xattr
33 30 0:33 / /boot rw,nodev,relatime shared:4 - zfs bpool/BOOT/ubuntu rw,xattr
"""


def test_the_datasets_of_a_pool_share_its_space_and_are_one_volume():
    assert {name: one.role for name, one in look(ZFS).items()} == {"/": "system", "/boot": "boot"}
