// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the writer and the reader of model files agree on.

#include <partita/core/version.hpp>
#include <partita/persist/checksum.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace partita::inline PARTITA_ABI {

/// The version of the format that this library writes, and the only one it reads.
inline constexpr std::int64_t model_format_version = 1;

/// Where a model came from. It holds nothing that differs between two runs that must give the same bytes.
struct Provenance {
    std::string library;          ///< version of the library
    std::string instruction_set;  ///< what the program that fitted was compiled for
    std::string compiler;         ///< and with which compiler
    std::uint64_t seed = 0;       ///< seed of the session
    std::int64_t rows = 0;        ///< number of rows of the fit

    friend bool operator==(const Provenance&, const Provenance&) = default;
};

/// The provenance of a model that this very program fitted.
inline Provenance provenance_here(std::uint64_t seed, std::int64_t rows) {
    return {PARTITA_VERSION_STRING, PARTITA_INSTRUCTION_SET, PARTITA_COMPILER, seed, rows};
}

namespace detail {

inline constexpr std::string_view model_key_format = "partita_format";
inline constexpr std::string_view model_key_checksum = "partita_checksum";
inline constexpr std::string_view model_key_manifest = "partita_manifest";

// What every header begins with, in pieces: the format version stands between the first two, the checksum after.
inline constexpr std::string_view model_header_start = R"({"__metadata__":{"partita_format":")";
inline constexpr std::string_view model_header_middle = R"(","partita_checksum":")";
inline constexpr std::string_view model_header_end = R"(","partita_manifest":")";

/// The checksum of `head`, a file's length and header, without the place of the checksum itself, which begins at `at`.
inline std::uint64_t header_checksum(std::span<const std::byte> head, std::size_t at) {
    return checksum(head.subspan(at + checksum_text_length), checksum(head.first(at)));
}

inline constexpr std::size_t stage_id_limit_bytes = 256;
inline constexpr std::size_t stage_count_limit = 4096;

}  // namespace detail

/// Puts a name in front of the names that follow, as long as it lives: `auto scope = writer.scope("trees");`
class NameScope {
  public:
    NameScope(std::string& prefix, std::string_view name) : prefix_(prefix), length_(prefix.size()) {
        if (!name.empty()) (prefix_ += name) += '.';
    }
    NameScope(const NameScope&) = delete;
    NameScope& operator=(const NameScope&) = delete;
    ~NameScope() { prefix_.resize(length_); }

  private:
    std::string& prefix_;
    std::size_t length_;
};

}  // namespace partita::inline PARTITA_ABI
