"""How each kind of figure is measured: unit, n, interval and method, in one place for all tables and figures."""

TREE = (
    "Unit: bytes; 1 MB is 1,000,000. n = 1: composing again gives the same tree. Method: every file of the composed "
    "tree is counted once, also one with several hard links, by its apparent size. It belongs to the package that owns "
    "it in the RPM database, or else to a class by its path. The parts add up to the whole tree."
)
ALLOCATED = "Allocated bytes are whole blocks of the file system that the tree was composed on."
IMAGE = (
    "Unit: bytes; 1 MB is 1,000,000. n = 1. Method: the blocks of each file on the disk image, read from its file "
    "system. What is not a file (journal, tables, boot sectors) is a part of its own. The parts add up to the "
    "allocated size of the raw image. The qcow2 column is a file's share of the compressed clusters that hold its "
    "blocks."
)
COMPRESSED_IMAGE = (
    "The compressed image is the size of its qcow2 file. It also holds what is not in the tree: the file system's own "
    "structures and, for an ostree variant, ostree's metadata and the second copy of /etc."
)
LABELS = (
    "Unit: paths of the root file system; each hard link counts. n = 1. Method: the finished disk image is read "
    "unmounted. libselinux looks up every path and its type in the file contexts of the policy inside the image; paths "
    "below an ostree deployment are looked up as the booted system sees them. The whole label has to match. "
    "Exceptions are in params/rules/labels.yaml, each with its reason. A missing label and the type default_t are "
    "never right."
)
GUARDS = (
    "n = 1. Method: the finished disk image is read unmounted; paths below an ostree deployment are named as the "
    "booted system sees them. A private key is a PEM block with a key in it, in a file that is not compressed. Ports "
    "are those of all boots by wall clock. What is allowed is in params/rules/guards.yaml, each with its reason."
)
CONTAINER = (
    "Unit: bytes; 1 MB is 1,000,000. n = 1: making the image again gives the same digest. Method: packages are "
    "compared by NEVRA, sha256 of the RPM and the digests in both RPM databases. A file is on the host already if the "
    "host's tree has the same content at the same path (/usr/etc for /etc). Hard links count once; directories do not "
    "count."
)
DOWNLOAD = "Download is the size of the RPM file, compressed."
WALL = (
    "Unit: wall-clock seconds from the start of QEMU. Method: milestones are observed from outside the guest; phases "
    "and units are reported by its systemd. Median of n boots. The interval is the 95 % bootstrap interval of the "
    "median; with too few boots for one, it is the range of all boots. Warm-up boots and boots that failed a check are "
    "left out."
)
TCG = "TCG emulates the processor: its times compare variants roughly, and say nothing about real hardware."
COUNTED_SECOND = (
    "A counted second is one second of the guest's clock when QEMU counts instructions (icount): 1,000,000,000 guest "
    "instructions. It is not a wall-clock second."
)
COUNTED = (
    "Unit: counted seconds. Method: the same image is booted under QEMU's instruction counting, where every "
    "instruction takes the same time, so the load of the host does not matter. Busy time is the processor time of all "
    "units and of the kernel. Median of n boots, with their range."
)
UNITS = (
    "Unit: wall-clock seconds, medians of n boots. Unit time runs from the start of a unit's activation to its end, as "
    "reported by systemd. Units start side by side, so sums of unit times are not wall-clock times. CPU time and "
    "memory are those of the unit's cgroup when the boot was done. A unit belongs to the package that owns its file."
)
RUNNING = (
    "Measured in the guest when its boot was done; medians over the measured boots of one firmware and accelerator. "
    "Memory in use is the guest's total memory less its available memory. Set-uid files are counted in the running "
    "system."
)
CHECKS = (
    "Every check runs in every boot, from outside over ssh or by the guest's own report. The table shows in how many "
    "of n boots it passed."
)
STAGES = "Unit: wall-clock seconds on the machine that ran the stage; n = 1."
DEPARTURES = (
    "Unit: packages and bytes in the tree. Method: the solver that composes solves the recipe again, with the packages "
    "excluded and without the entries that need them. The packages missing from the new set are removed. n = 1: "
    "solving again gives the same set."
)
FACTORS = (
    "n = 1 tree for each cell: composing again gives the same bytes. Python bytes are those of the class Python. A "
    "main effect is the mean of the differences between cells that differ in this one factor; if the only such cell is "
    "the base cell, it is a simple effect at the base. The interaction is the difference of differences: 0 where two "
    "choices add up."
)
DENIALS = (
    "Unit: SELinux messages (AVC and USER_AVC) in the journal of one boot, from the start of the kernel to the end of "
    "the first container; of several boots, the one with the most. Denials that the proof of life provokes on purpose "
    "come later and are not included."
)
FILE_SYSTEMS = (
    "Read from the finished disk images, unmounted; of an ostree image its deployment with its /var and /boot. "
    "Compared are path, type, mode, owner and group by number and name, size, sha256 of the content, link target, "
    "hard links, device numbers, SELinux label, capabilities and other attributes; times are not."
)
FILE_SYSTEMS_BOOTED = (
    "Each image is booted once through BIOS, provisioned by a metadata service as in a cloud, left until systemd has "
    "settled, and shut down in an orderly way; then its disk is read, unmounted. Compared are the paths that a machine "
    "writes to: /etc, /var, what links into /var, and what declares it; of each path the same as for the images."
)
UPDATE_DOWNLOADS = (
    "Objects are predicted from both commits alone: those that version 2 has and version 1 lacks, with the size of "
    "each in the repository of a server. RPM files are predicted from both locks alone, and the index from the "
    "repository. Measured by the log of an HTTP server: ostree of the build tools pulls into a repository with version "
    "1, over loopback; a client of a registry pulls the layers that it lacks, whose packages are grouped as in version "
    "1; the guest downloads through QEMU's user networking. Bytes are those of the bodies, without HTTP "
    "headers. Commits, or packages and their index, are signed, and verified with keys that the guest has."
)
LAYERS = (
    "The files of a commit as an OCI image of at most 64 layers: the files of each package are in one layer, and "
    "packages share a layer where that is expected to cost least if each changes equally often. A later version keeps "
    "the groups. Layers are tar archives with times of 0, compressed by gzip. A client that has one version pulls the "
    "next one over loopback; ostree pulls the same commits as loose objects. Each later version has some packages "
    "rebuilt: a release higher by one, and another build ID in each program and library."
)
GUEST_UPDATE = (
    "One guest, booted once through BIOS, which reboots by itself. An administrator's changes are made in version 1. "
    "ostree, or dnf, verifies signatures. Each boot passes a proof of life. Bytes written are counted by the guest's "
    "disk, from one sync to the next; processor time is what /proc/stat counts, in ticks of 10 ms, for all processors "
    "and all that runs in the guest meanwhile."
)
POWER_CUTS = (
    "QEMU logs each write and flush of one guest's disk (dm-log-writes). A state is the disk before the log and the "
    "writes up to a cut. Menu, kernel and initramfs must be whole as the boot loader reads them, which does not replay "
    "the journal; the deployment, /etc, /var and all objects that a ref or deployment names, once it is replayed. With "
    "packages, in place of the deployment: rpm opens the RPM database, which names each package once, with its files."
)
CONTAINER_SERVICE = (
    "One guest, booted once through BIOS, which reboots by itself. The archives go to the guest over ssh. A unit in "
    "/etc/systemd/system runs the second image with a published port and a directory of the host; the page has a word "
    "that only this guest was given. A pod has it as a ConfigMap, a swarm as a config. It is fetched by curl in the "
    "guest, and from outside through a port that QEMU forwards to the guest's network interface. Each boot passes a "
    "proof of life."
)
CONTAINER_MEMORY = (
    "The memory of each unit's control group (memory.current), with page cache, once the service answered: those of "
    "the service, of its container, and of the runtime's daemons."
)
AUTOMATIC_RETURN = (
    "One guest for each fault, booted through BIOS. Version 1 is proven, then updated, and told to reboot; from then "
    "on the guest is only watched. The boots are those that GRUB names on the console, with the number of the entry. "
    "Logins are tried until one lasts until the boot configuration is proven; then the guest passes a proof of life. "
    "The time limit is that of the health check for each boot of version 2, and that of a login for version 1; a host "
    "with more work than processors stretches it."
)
REFUSED_UPDATES = (
    "One guest of version 1, which is not rebooted between the cases. Before and after each attempt, with the fault "
    "gone: the deployments, the refs with their commits, the number of objects, the boot entries, the digests of all "
    "files in /etc, and a file in /var. Then the guest forgets what it has of version 2. In the end two administrators "
    "upgrade at once, ostree fsck checks the repository, and the guest reboots into version 2 and passes its proof of "
    "life. Downloads are counted by the server."
)
ONE_SAMPLE = "Seconds depend on this machine and its load; one sample each, so they are not compared."
CONFORMANCE = (
    "Each row is one fault. The real agent runs with the programs of the tree named in the table, in its own network, "
    "mount and process namespaces, against a metadata service at 169.254.169.254 that follows the script of the fault; "
    "no virtual machine is involved. A boot is an empty /run and the commands of the agent's units in order; the end "
    "state is what /etc, /root and /var then hold. A power cut is injected at every external command in turn, and "
    "data not yet synced is lost. n = 1 for each outcome, and one run for each cut. Times are wall-clock seconds of "
    "one boot on a busy machine: they test a time limit and compare nothing. cloud-init runs with the EC2 data source "
    "and the modules that provision. It has no outcome for power cuts between commands, because it does its work "
    "inside one process, and none for faults of a NoCloud disc. To finish within minutes the agents' waits are "
    "shortened: 60 s to 3 to 15 s, cloud-init's 120 and 50 s to 12 and 5 s. The agent of 2014, the first "
    "min-cloud-agent, was not run: its outcomes follow from its source and README."
)
