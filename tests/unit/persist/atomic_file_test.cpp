// SPDX-License-Identifier: Apache-2.0

// Every system call of a save fails once, and every one is the last before a kill: the file is the old one or the new one.
// To do so this file stands between the library and the system's functions; unarmed, they pass on what they are given.

#include <catch2/catch.hpp>

#include <partita/persist/atomic_file.hpp>

#include <csignal>
#include <cstdarg>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace atomic_file_test {

namespace {

struct Fault {
    enum Kind { none, error, kill } kind = none;
    long calls_left = 0;  // before the one that is struck
    int error_number = 0;
    bool short_transfers = false;  // reads and writes of a few bytes, and interrupted ones
    long calls = 0;
};
Fault fault;

/// Whether the call that is about to be made fails, with errno set.
bool struck() {
    if (fault.kind == Fault::none) return false;
    ++fault.calls;
    if (fault.calls_left-- != 0) return false;
    if (fault.kind == Fault::kill) ::kill(::getpid(), SIGKILL);
    errno = fault.error_number;
    return true;
}
/// How much of a transfer is made at once; 0 interrupts it.
std::size_t portion(std::size_t size) {
    static std::size_t turn = 0;
    if (!fault.short_transfers || size == 0) return size;
    return ++turn % 3 == 0 ? 0 : size < 5 ? size : turn % 2 == 0 ? 5 : size / 2;
}

}  // namespace

extern "C" {
ssize_t write(int file, const void* bytes, size_t size) {
    const bool fails = struck();
    const std::size_t count = portion(size);
    if (!fails && count == 0 && size != 0) errno = EINTR;
    if (fails || (count == 0 && size != 0)) return -1;
    // The last write before a kill gets half of its bytes out.
    const bool torn = fault.kind == Fault::kill && fault.calls_left == 0;
    return ::syscall(SYS_write, file, bytes, torn ? size / 2 : count);
}
ssize_t read(int file, void* bytes, size_t size) {
    const bool fails = struck();
    const std::size_t count = portion(size);
    if (!fails && count == 0 && size != 0) errno = EINTR;
    if (fails || (count == 0 && size != 0)) return -1;
    return ::syscall(SYS_read, file, bytes, count);
}
int open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return struck() ? -1 : static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
int close(int file) {
    if (!struck()) return static_cast<int>(::syscall(SYS_close, file));
    const int error = errno;
    ::syscall(SYS_close, file);  // a close that fails closes all the same
    errno = error;
    return -1;
}
int fsync(int file) { return struck() ? -1 : static_cast<int>(::syscall(SYS_fsync, file)); }
int rename(const char* from, const char* to) noexcept {
    return struck() ? -1 : static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
}

namespace {

namespace pt = partita;

/// A folder of its own, removed at the end.
class Folder {
  public:
    Folder() {
        char name[] = "persist_XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path_ = name;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    std::size_t count() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
    }

  private:
    std::string path_;
};

std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

const std::string old_bytes(1000, 'o');
const std::string new_bytes = [] {
    std::string bytes;
    for (int i = 0; i < 200000; ++i) bytes.push_back(static_cast<char>(i * 31 >> 3));
    return bytes;
}();

}  // namespace

TEST_CASE("a file is written, replaced and read whole", "[persist]") {
    const Folder folder;
    const std::string path = folder / "model";
    pt::write_file_atomically(path, old_bytes);
    CHECK(content(path) == old_bytes);
    pt::write_file_atomically(path, new_bytes);
    CHECK(content(path) == new_bytes);
    CHECK(pt::read_whole_file(path) == new_bytes);
    pt::write_file_atomically(path, "");
    CHECK(pt::read_whole_file(path).empty());
    CHECK(folder.count() == 1);
}

TEST_CASE("several pieces make one file", "[persist]") {
    const Folder folder;
    const std::string a = "a", empty, b(100000, 'b');
    const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(a)), std::as_bytes(std::span(empty)),
                                                 std::as_bytes(std::span(b))};
    pt::write_file_atomically(folder / "model", pieces);
    CHECK(content(folder / "model") == a + b);
}

TEST_CASE("the permissions of a replaced file stay, a new one has the usual", "[persist]") {
    const Folder folder;
    const std::string path = folder / "model";
    const mode_t mask = ::umask(022);
    pt::write_file_atomically(path, old_bytes);
    struct stat status = {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0644);
    REQUIRE(::chmod(path.c_str(), 0640) == 0);
    pt::write_file_atomically(path, new_bytes);
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0640);
    ::umask(mask);
}

TEST_CASE("short and interrupted reads and writes are continued", "[persist]") {
    const Folder folder;
    fault.short_transfers = true;
    pt::write_file_atomically(folder / "model", new_bytes);
    const std::string back = pt::read_whole_file(folder / "model");
    fault = {};
    CHECK(back == new_bytes);
}

TEST_CASE("whichever call of a save fails, the error has the system's reason and the file is whole", "[persist]") {
    const Folder folder;
    const std::string path = folder / "model";
    for (const int error_number : {ENOSPC, EIO}) {
        int failed = 0;
        bool done = false;
        for (long call = 0; !done; ++call) {
            REQUIRE(call < 100);
            pt::write_file_atomically(path, old_bytes);
            std::string message, file;
            fault = {Fault::error, call, error_number};
            try {
                pt::write_file_atomically(path, new_bytes);
                // A failing close of the folder, after all is safe, goes unnoticed.
                done = fault.calls_left > 0;
            } catch (const pt::FileError& error) {
                message = error.what();
                file = error.place().file;
            }
            fault = {};
            INFO("call " << call << ": " << message);
            const std::string after = content(path);
            CHECK((after == old_bytes || after == new_bytes));
            CHECK(folder.count() == 1);  // no temporary left
            if (message.empty()) {
                CHECK(after == new_bytes);
                continue;
            }
            ++failed;
            CHECK(file == path);
            CHECK(message.find(path) != std::string::npos);
            CHECK(message.find("(errno " + std::to_string(error_number) + ")") != std::string::npos);
            CHECK(message.find(error_number == ENOSPC ? "No space left on device" : "Input/output error") !=
                  std::string::npos);
        }
        CHECK(failed >= 9);  // create, write, sync, 4 times read, close, rename, open the folder, sync it
    }
}

TEST_CASE("whichever call is the last before a kill, the file is the old one or the new one", "[persist]") {
    const Folder folder;
    const std::string path = folder / "model";
    int old_files = 0, new_files = 0;
    for (long call = 0;; ++call) {
        REQUIRE(call < 100);
        pt::write_file_atomically(path, old_bytes);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            fault = {Fault::kill, call};
            try {
                pt::write_file_atomically(path, new_bytes);
            } catch (...) {
                ::_exit(2);
            }
            ::_exit(0);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        const std::string after = content(path);
        if (WIFEXITED(status)) {
            CHECK(WEXITSTATUS(status) == 0);
            CHECK(after == new_bytes);
            break;
        }
        REQUIRE(WTERMSIG(status) == SIGKILL);
        INFO("call " << call);
        CHECK((after == old_bytes || after == new_bytes));
        ++(after == old_bytes ? old_files : new_files);
    }
    CHECK(old_files >= 7);
    CHECK(new_files >= 2);
    // The temporary that a killed process left is removed by the next save; that of a living one, or of another file, is not.
    const std::string others[] = {path + "2.partial-0123456789abcdef", path + ".partial-0123", path + "l.partial"};
    for (const std::string& other : others) std::ofstream(other) << "o";
    const std::string dead = path + ".partial-0000000000000001", alive = path + ".partial-0000000000000002";
    std::ofstream(dead) << "left";
    const int writer = ::open(alive.c_str(), O_RDWR | O_CREAT, 0666);
    REQUIRE(::flock(writer, LOCK_EX) == 0);
    pt::write_file_atomically(path, new_bytes);
    CHECK(content(path) == new_bytes);
    CHECK(folder.count() == 5);  // the file, the living writer's, and the others
    CHECK(std::filesystem::exists(alive));
    ::close(writer);
    pt::write_file_atomically(path, new_bytes);
    CHECK(folder.count() == 4);
}

TEST_CASE("a full disk, as the system itself reports it", "[persist]") {
    const Folder folder;
    const std::string path = folder / "model";
    pt::write_file_atomically(path, old_bytes);
    rlimit before = {};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit small = before;
    small.rlim_cur = 65536;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    std::string message;
    try {
        pt::write_file_atomically(path, new_bytes);
    } catch (const pt::FileError& error) {
        message = error.what();
    }
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, handler);
    CHECK(message.find("File too large") != std::string::npos);
    CHECK(content(path) == old_bytes);
    CHECK(folder.count() == 1);
}

TEST_CASE("a save where it cannot be leaves nothing behind", "[persist]") {
    const Folder folder;
    CHECK_THROWS_AS(pt::write_file_atomically(folder / "no/such/folder", "x"), pt::FileError);
    REQUIRE(::mkdir((folder / "taken").c_str(), 0777) == 0);
    CHECK_THROWS_AS(pt::write_file_atomically(folder / "taken", "x"), pt::FileError);
    CHECK(folder.count() == 1);
}

TEST_CASE("a save onto a pipe or a device is refused, and leaves it what it is", "[persist]") {
    const Folder folder;
    const std::string pipe = folder / "pipe", link = folder / "link";
    REQUIRE(::mkfifo(pipe.c_str(), 0666) == 0);
    REQUIRE(::symlink("/dev/null", link.c_str()) == 0);
    for (const std::string& path : {pipe, link}) {
        CHECK_THROWS_AS(pt::write_file_atomically(path, "x"), pt::FileError);
        struct stat status = {};
        REQUIRE(::stat(path.c_str(), &status) == 0);
        CHECK_FALSE(S_ISREG(status.st_mode));
    }
    CHECK(folder.count() == 2);
}

TEST_CASE("what cannot be read is a typed error, and never waits", "[persist]") {
    const Folder folder;
    const auto message = [](const std::string& path, std::uint64_t limit = 1000) {
        try {
            pt::read_whole_file(path, limit);
        } catch (const pt::FileError& error) {
            CHECK(error.place().file == path);
            return std::string(error.what());
        }
        return std::string();
    };
    CHECK(message(folder / "none").find("No such file or directory (errno 2)") != std::string::npos);
    CHECK(message(folder / ".").find("not a regular file") != std::string::npos);
    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0666) == 0);
    CHECK(message(folder / "pipe").find("not a regular file") != std::string::npos);
    CHECK(message("/dev/zero").find("not a regular file") != std::string::npos);
    pt::write_file_atomically(folder / "large", std::string(1001, 'x'));
    CHECK(message(folder / "large").find("more than the limit of 1000") != std::string::npos);
    CHECK(message(folder / "large", 1001).empty());
    for (const long call : {0, 1, 2}) {
        fault = {Fault::error, call, EIO};
        const std::string text = message(folder / "large", 1001);
        fault = {};
        CHECK(text.find("Input/output error (errno 5)") != std::string::npos);
    }
}

TEST_CASE("a path without a folder is one of the current folder", "[persist]") {
    CHECK(pt::detail::folder_of("model") == ".");
    CHECK(pt::detail::folder_of("/model") == "/");
    CHECK(pt::detail::folder_of("a/b/model") == "a/b");
}

}  // namespace atomic_file_test
