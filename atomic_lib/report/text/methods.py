"""How each kind of figure is measured: unit, n, interval and method, said once for all tables and pictures."""

TREE = (
    "Unit: bytes; 1 MB is 1,000,000. n = 1: composing again gives the same tree. Method: every file of the composed "
    "tree is counted once, hard links too, by its apparent size, and belongs to the package that owns it by the RPM "
    "database, or to a class by its path. The parts add up to the whole tree."
)
ALLOCATED = "Allocated bytes are whole blocks, as the file system of the composed tree counts them."
IMAGE = (
    "Unit: bytes; 1 MB is 1,000,000. n = 1. Method: the blocks that each file has on the disk image, read from its "
    "file system; what is no file (journal, tables, boot sectors) is a part of its own. The parts add up to the "
    "allocated size of the raw image. The qcow2 column is the share of the compressed clusters that hold these blocks."
)
COMPRESSED_IMAGE = (
    "The compressed image is the size of its qcow2 file. It also holds what is in no tree: the file system, and of an "
    "ostree variant its metadata and the second copy of /etc."
)
LABELS = (
    "Unit: paths of the root file system, hard links each. n = 1. Method: the finished disk image is read unmounted; "
    "every path is looked up with its type by libselinux in the file contexts that are in the image itself, below an "
    "ostree deployment as the booted system sees it, and the whole label has to be the same. What may differ is in "
    "params/rules/labels.yaml with its reason; no label and default_t are never simply right."
)
DOWNLOAD = "Download is the size of the RPM file, compressed."
WALL = (
    "Unit: wall-clock seconds from the start of QEMU. Method: milestones are seen from outside the guest, phases and "
    "units are told by its systemd. Median of n boots; the interval is the 95 % bootstrap interval of the median, and "
    "the range of all boots where there are too few for one. Not counted: warm-up boots, and boots that failed a check."
)
TCG = "TCG emulates the processor: its times compare variants roughly, and say nothing of real hardware."
COUNTED = (
    "Unit: counted seconds, which are no wall-clock seconds. Method: the same image under QEMU's instruction counting, "
    "where one instruction takes a fixed time, so that the load of the machine has no part in it. Busy time is the "
    "processor time of all units and of the kernel. Median of n boots, with their range."
)
UNITS = (
    "Unit: wall-clock seconds, n boots: medians. Unit time goes from the start of a unit's activation to its end, told "
    "by systemd; units start side by side, so sums of unit times are no wall-clock time. CPU time and memory are those "
    "of the unit's control group once the boot was done. A unit belongs to the package that owns its file."
)
RUNNING = (
    "Asked in the guest once its boot was done; medians over the boots that count, of one firmware and accelerator. "
    "Memory in use is total less available memory of the guest. A set-uid file is counted in the running system."
)
CHECKS = (
    "Each check is made in every boot, from outside by ssh or by the guest's own report; shown is in how many of "
    "n boots it passed."
)
STAGES = "Unit: wall-clock seconds on the machine of the run; n = 1, when the stage was made."
DEPARTURES = (
    "Unit: packages and bytes in the tree. Method: the recipe is solved again without the entries that ask for what is "
    "removed, by the solver that composes; the difference of the two package sets leaves. n = 1: solving again gives "
    "the same set."
)
FACTORS = (
    "n = 1 tree for each cell: composing again gives the same bytes. Python bytes are those of the class Python. A "
    "main effect is the mean of the differences between pairs of cells that differ in this one factor; where only the "
    "base cell has such a partner it is a simple effect at the base. The interaction is the difference of differences: "
    "0 where two choices add up."
)
DENIALS = (
    "Unit: messages of SELinux (AVC and USER_AVC) in the journal of one boot, from the kernel's start to the end of "
    "the first container; of several boots the one with most. What the proof of life provokes on purpose comes later "
    "and is not in it."
)
