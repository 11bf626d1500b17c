// SPDX-License-Identifier: Apache-2.0
#pragma once

// Memory that processes of one machine share, and that nobody has to tidy up: it has no name, so the kernel frees it when the
// last process that has it is gone, however that one ended.

#include <partita/core/version.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <utility>
#if defined(__linux__)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace partita::inline PARTITA_ABI::detail {

/// A run of shared memory, zero at first, page by page as it is touched. Empty where the system gives none; then it is for the
/// caller to do without.
class SharedSegment {
  public:
    SharedSegment() = default;
    SharedSegment(SharedSegment&& other) noexcept { swap(other); }
    SharedSegment& operator=(SharedSegment&& other) noexcept {
        swap(other);
        return *this;
    }
    ~SharedSegment() {
        close_file();
#if defined(__linux__)
        if (data_ != nullptr) munmap(data_, size_bytes_);
#endif
    }

    /// New memory, which others may open until `close_file`.
    static SharedSegment create([[maybe_unused]] std::size_t size_bytes) {
        SharedSegment made;
#if defined(__linux__)
        made.file_ = memfd_create("partita", MFD_CLOEXEC);
        if (made.file_ >= 0 && ftruncate(made.file_, static_cast<off_t>(size_bytes)) == 0) made.map(size_bytes);
#endif
        return made;
    }

    /// The memory that another process of this machine made, by that process and its number for the file.
    static SharedSegment open([[maybe_unused]] std::int64_t process, [[maybe_unused]] int file,
                              [[maybe_unused]] std::size_t size_bytes) {
        SharedSegment found;
#if defined(__linux__)
        char path[64];
        std::snprintf(path, sizeof path, "/proc/%lld/fd/%d", static_cast<long long>(process), file);
        found.file_ = ::open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        struct stat facts{};
        if (found.file_ >= 0 && fstat(found.file_, &facts) == 0 && S_ISREG(facts.st_mode) &&
            facts.st_size == static_cast<off_t>(size_bytes)) {
            found.map(size_bytes);
        }
        found.close_file();
#endif
        return found;
    }

    std::byte* data() const noexcept { return data_; }
    int file() const noexcept { return file_; }

    void close_file() noexcept {
#if defined(__linux__)
        if (file_ >= 0) ::close(file_);
#endif
        file_ = -1;
    }

  private:
    void swap(SharedSegment& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_bytes_, other.size_bytes_);
        std::swap(file_, other.file_);
    }
#if defined(__linux__)
    void map(std::size_t size_bytes) {
        void* const address = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
        if (address == MAP_FAILED) return;
        data_ = static_cast<std::byte*>(address);
        size_bytes_ = size_bytes;
    }
#endif

    std::byte* data_ = nullptr;
    std::size_t size_bytes_ = 0;
    int file_ = -1;
};

}  // namespace partita::inline PARTITA_ABI::detail
