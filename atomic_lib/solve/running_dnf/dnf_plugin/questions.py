"""A dnf 4 plugin that answers questions, each in a child process, as soon as dnf has loaded its repositories.

A question is a line of JSON in the FIFO /mnt/talk/questions; its answer is a line of JSON in /mnt/talk/answers. For
"install", the child goes on as dnf itself would with these words, excludes and settings; the plugin ``solution`` then
writes the result. For "describe", it says what packages require, provide and contain; for "unmatched", which words
match no package.
"""

import gc
import json
import logging
import os
import signal
import sys
import tempfile

import dnf
import dnf.subject
import rpm

LIMIT_SECONDS = 60
DOC, GHOST, LICENSE = 1 << 1, 1 << 6, 1 << 7  # RPMFILE_DOC and so on, rpmfiles.h
PRIVILEGED, WRITABLE, STICKY = 0o6000, 0o002, 0o1000


class Questions(dnf.Plugin):
    name = "questions"

    def __init__(self, base, cli):
        super().__init__(base, cli)
        self.base, self.cli = base, cli

    def sack(self):
        # what each child would do for itself: find out what provides what and has which name, and look for garbage
        self.base.sack.query().filterm(provides="questions").run()
        is_matched(self.base, "questions")
        gc.collect()
        gc.freeze()
        with open("/mnt/talk/questions") as questions, open("/mnt/talk/answers", "w") as answers:
            print(json.dumps({"ready": True}), file=answers, flush=True)
            for line in questions:
                question = json.loads(line)
                with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as answer:
                    child = os.fork()
                    if not child:
                        signal.alarm(LIMIT_SECONDS)
                        os.dup2(output.fileno(), 1)
                        os.dup2(output.fileno(), 2)
                        if question["kind"] == "install":
                            self.prepare(question)
                            return  # dnf goes on
                        json.dump(self.answer(question), answer)
                        answer.flush()
                        os._exit(0)
                    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                    output.seek(0)
                    answer.seek(0)
                    said = {"status": status, "output": output.read(), "answer": answer.read()}
                    print(json.dumps(said), file=answers, flush=True)
        os._exit(0)

    def answer(self, question):
        if question["kind"] == "names":
            return all_names(self.base)
        if question["kind"] == "describe":
            return describe(self.base, question["nevras"])
        self.prepare(question)
        return [word for word in question["words"] if not is_matched(self.base, word)]

    def prepare(self, question):
        conf = self.base.conf
        conf.install_weak_deps = question.get("weak_dependencies", False)
        conf.strict = question["strict"]
        conf.excludepkgs = question["excludes"]
        self.base._setup_excludes_includes()
        self.cli.command.opts.pkg_specs = question["words"]
        logging.disable(logging.DEBUG)  # a line for each package, in a file that nobody reads
        self.base._goal2transaction = self.answer_goal

    def answer_goal(self, goal):
        """Write the solution, in place of a transaction that nobody would use."""
        (solution,) = (plugin for plugin in self.base._plugins.plugins if plugin.name == "solution")
        solution.write(set(goal.list_installs()))  # nothing is installed yet, so nothing else changes
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # what a long-running dnf has loaded is not freed for each answer


def all_names(base):
    return sorted({package.name for package in base.sack.query().available()})


def is_matched(base, word):
    """Whether dnf would mark a package for a word, as in ``Base.install``."""
    found = dnf.subject.Subject(word).get_best_solution(base.sack, with_src=False)["query"]
    return bool(found.filter(arch__neq=["src", "nosrc"]))


def describe(base, nevras):
    known, nevras = {}, set(nevras)
    for package in base.sack.query().available():
        nevra = f"{package.name}-{package.epoch}:{package.version}-{package.release}.{package.arch}"
        if nevra in nevras:
            known.setdefault(nevra, package)
    return {nevra: description(package) for nevra, package in known.items()}


def description(package):
    path = package.localPkg() if package.repo._repo.isLocal() else ""
    if os.path.isfile(path):
        return {"name": package.name, "summary": package.summary or "", **from_header(path)}
    return {
        "name": package.name,
        "summary": package.summary or "",
        "requires": [bare(one) for one in package.requires],
        "provides": [bare(one) for one in package.provides],
        "recommends": [bare(one) for one in package.recommends],
        "supplements": [bare(one) for one in package.supplements],
        "files": list(package.files),
        "content": None,
        "rights": None,
    }


def bare(dependency):
    """A dependency without its version; a rich ("boolean") one whole."""
    text = str(dependency)
    return text if text.startswith("(") else text.split(" ")[0]


def from_header(path):
    transaction = rpm.TransactionSet()
    transaction.setVSFlags(rpm._RPMVSF_NOSIGNATURES | rpm._RPMVSF_NODIGESTS)
    with open(path, "rb") as file:
        header = transaction.hdrFromFdno(file.fileno())
    files, modes = header["FILENAMES"], header["FILEMODES"]
    sizes = header["LONGFILESIZES"] or header["FILESIZES"]
    capabilities = header["FILECAPS"] or [""] * len(files)
    owners = zip(header["FILEUSERNAME"], header["FILEGROUPNAME"], strict=True)
    rights = []
    for name, mode, of_file, (user, group) in zip(files, modes, capabilities, owners, strict=True):
        kind, mode = mode & 0o170000, mode & 0o7777
        regular, directory, link = kind == 0o100000, kind == 0o040000, kind == 0o120000
        if (regular and (mode & PRIVILEGED or of_file)) or (
            mode & WRITABLE and not link and not (directory and mode & STICKY)
        ):
            rights.append([name, mode, "directory" if directory else "file", f"{user}:{group}", of_file])
    return {
        **{
            field: sorted(set(header[f"{field[:-1].upper()}NAME"]))
            for field in ("requires", "provides", "recommends", "supplements")
        },
        "files": files,
        "content": content_bytes(header, sizes),
        "rights": rights,
    }


def content_bytes(header, sizes):
    """Bytes of all files but directories: [whether tsflags=nodocs leaves them out, their languages, bytes]; hard links
    are one file."""
    seen, found = set(), {}
    languages = header["FILELANGS"] or [""] * len(sizes)
    for size, mode, flags, inode, own in zip(
        sizes, header["FILEMODES"], header["FILEFLAGS"], header["FILEINODES"], languages, strict=True
    ):
        if mode & 0o170000 != 0o040000 and not flags & GHOST and inode not in seen:
            seen.add(inode)
            kind = (bool(flags & DOC and not flags & LICENSE), own)
            found[kind] = found.get(kind, 0) + size
    return [[*kind, size] for kind, size in sorted(found.items())]
