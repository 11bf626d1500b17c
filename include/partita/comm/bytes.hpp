// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/core/version.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// A run of bytes that travels between workers.
using Bytes = std::vector<std::byte>;

/// The bytes of a text, borrowed.
inline std::span<const std::byte> as_bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// Appends values to bytes in the machine's own layout: for messages of one run, never for files.
class ByteWriter {
  public:
    explicit ByteWriter(Bytes& target) : target_(target) {}

    void write_raw(const void* data, std::size_t size_bytes) {
        const std::size_t before = target_.size();
        target_.resize(before + size_bytes);
        if (size_bytes != 0) std::memcpy(target_.data() + before, data, size_bytes);
    }
    template <class T>
        requires std::is_trivially_copyable_v<T>
    void write(const T& value) {
        write_raw(&value, sizeof value);
    }
    /// A text or bytes, with their length in front.
    void write_sized(std::string_view text) {
        write(static_cast<std::uint64_t>(text.size()));
        write_raw(text.data(), text.size());
    }
    void write_sized(std::span<const std::byte> bytes) {
        write(static_cast<std::uint64_t>(bytes.size()));
        write_raw(bytes.data(), bytes.size());
    }

  private:
    Bytes& target_;
};

/// Reads what ByteWriter wrote. Past the end every read gives zeros and `failed()` stays true: nothing is read out of bounds.
class ByteReader {
  public:
    explicit ByteReader(std::span<const std::byte> source) : rest_(source) {}

    bool failed() const noexcept { return failed_; }
    std::size_t remaining() const noexcept { return rest_.size(); }

    void read_raw(void* target, std::size_t size_bytes) {
        const std::span<const std::byte> bytes = take(size_bytes);
        if (size_bytes == 0) return;
        if (bytes.size() == size_bytes) {
            std::memcpy(target, bytes.data(), size_bytes);
        } else {
            std::memset(target, 0, size_bytes);
        }
    }
    template <class T>
        requires std::is_trivially_copyable_v<T>
    T read() {
        alignas(T) std::byte raw[sizeof(T)];
        read_raw(raw, sizeof(T));
        T value;
        std::memcpy(static_cast<void*>(&value), raw, sizeof(T));
        return value;
    }
    /// Bytes with their length in front, borrowed from the source.
    std::span<const std::byte> read_sized() {
        const auto size = read<std::uint64_t>();
        return take(size);
    }
    std::string read_text() {
        const std::span<const std::byte> bytes = read_sized();
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

  private:
    std::span<const std::byte> take(std::uint64_t size) {
        if (size > rest_.size()) {
            failed_ = true;
            rest_ = {};
            return {};
        }
        const std::span<const std::byte> bytes = rest_.first(static_cast<std::size_t>(size));
        rest_ = rest_.subspan(static_cast<std::size_t>(size));
        return bytes;
    }

    std::span<const std::byte> rest_;
    bool failed_ = false;
};

}  // namespace partita::inline PARTITA_ABI
