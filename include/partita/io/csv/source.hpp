// SPDX-License-Identifier: Apache-2.0
#pragma once

// The text of a file in memory: mapped where it is a plain file, read otherwise, decompressed where its name ends in .gz.

#include <partita/core/error.hpp>
#include <partita/persist/atomic_file.hpp>
#ifdef PARTITA_HAS_GZIP
#include <partita/io/gzip.hpp>
#endif

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

// Programs may mix files compiled with and without the component: each calls its own version.
#ifdef PARTITA_HAS_GZIP
#define PARTITA_DETAIL_GZIP with_gzip
#else
#define PARTITA_DETAIL_GZIP without_gzip
#endif

namespace partita::inline PARTITA_ABI {
namespace detail {

/// A text and what keeps it alive.
struct SourceText {
    std::string name;  ///< for messages: the path
    std::string_view text;
    std::shared_ptr<void> owner;
};

inline SourceText own_text(std::string name, std::string text) {
    auto owner = std::make_shared<std::string>(std::move(text));
    SourceText result{std::move(name), *owner, owner};
    return result;
}

/// Where process `rank` has another count of something in a file than process 0, throws; all processes call it with all counts.
inline void demand_same_file(const std::string& path, const char* what, std::uint64_t of_first, std::uint64_t of_other,
                             std::size_t rank) {
    if (of_first == of_other) return;
    Place place;
    place.file = path;
    place.process = static_cast<std::int64_t>(rank);
    throw CollectiveMismatch(path + ": process 0 sees " + std::to_string(of_first) + " " + what + " and process " +
                                 std::to_string(rank) + " sees " + std::to_string(of_other) +
                                 "; give every host the same file, whole before the run begins",
                             std::move(place));
}

/// Maps a plain file, which must not become shorter while it is read; reads anything else (a pipe) to its end.
inline SourceText load_plain_file(const std::string& path) {
    Descriptor file(open_retrying(path.c_str(), O_RDONLY));
    if (file.number() < 0) throw_file_error("open", path, errno);
    struct stat status{};
    if (::fstat(file.number(), &status) != 0) throw_file_error("look at", path, errno);
    if (S_ISDIR(status.st_mode)) throw_file_error("read", path, EISDIR);
    const auto size_bytes = static_cast<std::size_t>(status.st_size);
    if (S_ISREG(status.st_mode) && size_bytes != 0) {
        void* memory = ::mmap(nullptr, size_bytes, PROT_READ, MAP_PRIVATE, file.number(), 0);
        if (memory != MAP_FAILED) {
            SourceText result{path, {static_cast<const char*>(memory), size_bytes}, nullptr};
            result.owner = std::shared_ptr<void>(memory, [size_bytes](void* mapped) { ::munmap(mapped, size_bytes); });
            return result;
        }
    }
    std::string text;
    for (std::size_t used = 0;;) {
        text.resize(used + (used < (1 << 16) ? 1 << 16 : used));
        const std::size_t room = text.size() - used;
        const std::size_t got = read_all(file.number(), std::as_writable_bytes(std::span(text)).subspan(used), path);
        used += got;
        if (got == room) continue;
        text.resize(used);
        return own_text(path, std::move(text));
    }
}

inline namespace PARTITA_DETAIL_GZIP {

/// The text of a file. Errors: FileError; for names in .gz BadCompression, or MissingComponent without partita::gzip.
inline SourceText load_text(const std::string& path) {
    if (!path.ends_with(".gz")) return load_plain_file(path);
#ifdef PARTITA_HAS_GZIP
    const SourceText compressed = load_plain_file(path);
    return own_text(path, gunzip(compressed.text, path));
#else
    Place place;
    place.file = path;
    throw MissingComponent(
        path +
            ": this program was built without partita::gzip, which reads compressed files; link that "
            "target, or decompress the file first",
        std::move(place));
#endif
}

}  // namespace PARTITA_DETAIL_GZIP
}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
