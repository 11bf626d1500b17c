// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files that are either the old one or the new one, and reading a file whole.

#include <partita/core/error.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace partita::inline PARTITA_ABI {

namespace detail {

// strerror_r comes in two forms, of which one may return a text that it did not write into the buffer.
inline const char* error_text(int, const char* buffer) { return buffer; }
inline const char* error_text(const char* text, const char*) { return text; }

[[noreturn]] inline void throw_file_error(std::string_view action, const std::string& path, int error_number) {
    if (path.empty())
        throw FileError("cannot " + std::string(action) + " a file: its path is empty; give one", Place{});
    char buffer[256] = "unknown error";
    const char* text = error_text(::strerror_r(error_number, buffer, sizeof buffer), buffer);
    throw FileError(
        "cannot " + std::string(action) + " " + path + ": " + text + " (errno " + std::to_string(error_number) + ")",
        Place{.file = path});
}

/// Owns a file descriptor.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    int number() const { return number_; }
    /// Closes now, because some file systems report a failed write only here; gives errno, or 0.
    int close() {
        const int number = number_;
        number_ = -1;
        return ::close(number) == 0 ? 0 : errno;
    }

  private:
    int number_;
};

inline int open_retrying(const char* path, int flags, mode_t mode = 0) {
    for (;;) {
        const int number = ::open(path, flags | O_CLOEXEC, mode);
        if (number >= 0 || errno != EINTR) return number;
    }
}

/// Removes the temporary file unless the rename has taken it away.
struct TemporaryFile {
    std::string path;
    bool exists = false;
    ~TemporaryFile() {
        if (exists) ::unlink(path.c_str());
    }
};

/// What stands between a file's name and the 16 random digits of its temporary one, and the length of both.
inline constexpr const char* partial_mark = ".partial-";
inline constexpr std::size_t partial_size = 9 + 16;

inline std::string random_suffix() {
    std::uint64_t bits = 0;
    if (::getrandom(&bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) {
        bits = static_cast<std::uint64_t>(::getpid());
    }
    char text[32];
    std::snprintf(text, sizeof text, "%s%016llx", partial_mark, static_cast<unsigned long long>(bits));
    return text;
}

inline std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// Whether nobody writes to this temporary file any more: its writer locks it, and a lock ends with its process. No, where that
/// cannot be known.
inline bool is_abandoned(const std::string& temporary) {
    const Descriptor file(open_retrying(temporary.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    return file.number() >= 0 && ::flock(file.number(), LOCK_EX | LOCK_NB) == 0;
}

/// Removes what killed writers left in `folder` of temporary files whose names begin with `prefix`. Best effort.
inline void remove_abandoned(const std::string& folder, std::string_view prefix) {
    DIR* const directory = ::opendir(folder.c_str());
    if (directory == nullptr) return;
    while (const dirent* entry = ::readdir(directory)) {
        const std::string_view name(entry->d_name);
        const std::size_t mark = name.find(partial_mark);
        if (!name.starts_with(prefix) || mark == name.npos || name.size() != mark + partial_size) continue;
        const std::string path = folder + "/" + entry->d_name;
        if (is_abandoned(path)) ::unlink(path.c_str());
    }
    ::closedir(directory);
}

/// Creates a temporary file that is ours alone. False, with errno, where the system refuses.
inline bool create_temporary(int& number, TemporaryFile& temporary, const std::string& path) {
    temporary.path = path + random_suffix();
    number = open_retrying(temporary.path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
    if (number < 0) return false;
    // A file system without locks leaves it at that. Somebody who looks for abandoned files may have been quicker than we.
    struct stat status = {};
    const bool taken = (::flock(number, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) ||
                       (::fstat(number, &status) == 0 && status.st_nlink == 0);
    if (!taken) return true;
    ::close(number);
    ::unlink(temporary.path.c_str());
    number = -1;
    errno = EEXIST;
    return false;
}

inline void write_all(int number, std::span<const std::byte> bytes, const std::string& path) {
    while (!bytes.empty()) {
        // The system writes at most 2 GiB at once; a fixed smaller piece keeps signals from waiting long.
        const std::size_t piece = bytes.size() < (std::size_t{1} << 26) ? bytes.size() : std::size_t{1} << 26;
        const ssize_t written = ::write(number, bytes.data(), piece);
        if (written < 0) {
            if (errno == EINTR) continue;
            throw_file_error("write", path, errno);
        }
        if (written == 0) throw_file_error("write", path, EIO);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

/// Reads until `into` is full or the file ends; gives how many bytes it read.
inline std::size_t read_all(int number, std::span<std::byte> into, const std::string& path) {
    std::size_t done = 0;
    while (done < into.size()) {
        const std::size_t left = into.size() - done;
        const std::size_t piece = left < (std::size_t{1} << 26) ? left : std::size_t{1} << 26;
        const ssize_t count = ::read(number, into.data() + done, piece);
        if (count < 0) {
            if (errno == EINTR) continue;
            throw_file_error("read", path, errno);
        }
        if (count == 0) break;
        done += static_cast<std::size_t>(count);
    }
    return done;
}

inline void verify_written(int number, std::span<const std::span<const std::byte>> pieces, const std::string& path) {
    if (::lseek(number, 0, SEEK_SET) != 0) throw_file_error("rewind", path, errno);
    std::string buffer(std::size_t{1} << 16, '\0');
    const std::span<std::byte> window = std::as_writable_bytes(std::span(buffer));
    for (std::span<const std::byte> piece : pieces) {
        while (!piece.empty()) {
            const std::size_t count = piece.size() < window.size() ? piece.size() : window.size();
            if (read_all(number, window.first(count), path) != count ||
                std::memcmp(window.data(), piece.data(), count) != 0) {
                throw FileError(
                    "cannot write " + path + ": reading it back gives other bytes; the disk is not to be trusted",
                    Place{.file = path});
            }
            piece = piece.subspan(count);
        }
    }
}

}  // namespace detail

/// Writes `pieces`, one after the other, as the file `path`, all or nothing.
///
/// The bytes go to a new file beside it, `path` + ".partial-" + 16 digits, which is synced, read back and compared, and
/// renamed onto `path`; then the folder is synced. Whatever fails or is killed before the rename leaves the old file
/// whole; whatever comes after leaves the new one. The permissions of a file that is replaced are kept; a symbolic link is
/// replaced, not followed.
/// Errors: FileError with the system's reason, and for a path that leads to a folder, a device or a pipe, which a rename
/// would take away; the temporary is removed. A killed process leaves its temporary behind, which the next write to `path` removes.
inline void write_file_atomically(const std::string& path, std::span<const std::span<const std::byte>> pieces) {
    using namespace detail;
    struct stat old = {};
    const bool replaces = ::stat(path.c_str(), &old) == 0;
    if (replaces && S_ISDIR(old.st_mode)) throw_file_error("write", path, EISDIR);
    if (replaces && !S_ISREG(old.st_mode))
        throw FileError(
            "cannot write " + path + ": it is a device or a pipe, which a file would replace; give the path of a file",
            Place{.file = path});

    const std::string folder = folder_of(path);
    remove_abandoned(folder, path.substr(path.rfind('/') + 1) + partial_mark);
    TemporaryFile temporary;
    int number = -1;
    // The suffix is random, so a name that exists already is bad luck and a second try is enough; ten cost nothing.
    for (int attempt = 0; attempt < 10 && number < 0; ++attempt) {
        if (!create_temporary(number, temporary, path) && errno != EEXIST)
            throw_file_error("create a temporary file beside", path, errno);
    }
    if (number < 0) throw_file_error("create a temporary file beside", path, EEXIST);
    temporary.exists = true;
    Descriptor file(number);
    const Descriptor lock(::dup(number));  // keeps the lock until the file has its name

    if (replaces) {
        // Best effort: a file system without permissions refuses, and the new file is no worse for it.
        if (::fchmod(number, old.st_mode & 07777u) != 0) errno = 0;
    }
    for (std::span<const std::byte> piece : pieces) write_all(number, piece, path);
    if (::fsync(number) != 0) throw_file_error("sync", path, errno);
    verify_written(number, pieces, path);
    if (const int error = file.close(); error != 0) throw_file_error("close", path, error);
    if (::rename(temporary.path.c_str(), path.c_str()) != 0)
        throw_file_error("rename the temporary file onto", path, errno);
    temporary.exists = false;

    Descriptor directory(open_retrying(folder.c_str(), O_RDONLY | O_DIRECTORY));
    if (directory.number() < 0) throw_file_error("open the folder of", path, errno);
    // Some file systems cannot sync a folder and say so with EINVAL; the rename is then as durable as they make it.
    if (::fsync(directory.number()) != 0 && errno != EINVAL) throw_file_error("sync the folder of", path, errno);
}

/// Writes `bytes` as the file `path`, all or nothing.
inline void write_file_atomically(const std::string& path, std::string_view bytes) {
    const std::span<const std::byte> piece = std::as_bytes(std::span(bytes));
    write_file_atomically(path, std::span(&piece, 1));
}

/// Reads the whole regular file `path`, of at most `limit_bytes`.
///
/// Errors: FileError when it cannot be read, is no regular file, is longer than the limit or than memory, or changes
/// its length meanwhile.
inline std::string read_whole_file(const std::string& path, std::uint64_t limit_bytes = std::uint64_t{1} << 40) {
    using namespace detail;
    // Without O_NONBLOCK opening a named pipe would wait for a writer.
    Descriptor file(open_retrying(path.c_str(), O_RDONLY | O_NONBLOCK));
    if (file.number() < 0) throw_file_error("open", path, errno);
    struct stat status = {};
    if (::fstat(file.number(), &status) != 0) throw_file_error("look at", path, errno);
    const auto refuse = [&](const std::string& why) {
        throw FileError("cannot read " + path + ": " + why, Place{.file = path});
    };
    if (!S_ISREG(status.st_mode)) refuse("it is not a regular file");
    const auto size_bytes = static_cast<std::uint64_t>(status.st_size);
    if (size_bytes > limit_bytes) {
        refuse("it has " + std::to_string(size_bytes) + " bytes, more than the limit of " +
               std::to_string(limit_bytes));
    }
    std::string bytes;
    try {
        bytes.resize(size_bytes);
    } catch (const std::bad_alloc&) {
        refuse("its " + std::to_string(size_bytes) + " bytes do not fit into memory");
    }
    const std::size_t count = read_all(file.number(), std::as_writable_bytes(std::span(bytes)), path);
    std::byte beyond{};
    if (count != bytes.size() || read_all(file.number(), std::span(&beyond, 1), path) != 0) {
        refuse("its length changed while it was read; read it again when nobody writes to it");
    }
    return bytes;
}

}  // namespace partita::inline PARTITA_ABI
