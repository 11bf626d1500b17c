// SPDX-License-Identifier: Apache-2.0
#pragma once

// Gzip files, through zlib: part of the component partita::gzip.

#include <partita/core/error.hpp>

#include <cstddef>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <zlib.h>

namespace partita::inline PARTITA_ABI {
namespace detail {

/// What a gzip file holds: its members, one after the other. `path` is for messages.
/// Errors: BadCompression for bytes that are no gzip file, are damaged or end too early.
inline std::string gunzip(std::string_view compressed, const std::string& path) {
    const auto refuse = [&](const char* what) {
        Place place;
        place.file = path;
        throw BadCompression(path + ": " + what + "; fetch or write the file again", std::move(place));
    };
    struct Stream : z_stream {
        Stream() : z_stream{} {}
        ~Stream() { inflateEnd(this); }
    } stream;
    if (inflateInit2(&stream, 15 + 16) != Z_OK) throw std::bad_alloc();  // 16: with a gzip header

    std::string text;
    std::size_t used = 0, fed = 0;
    bool in_member = false, more_output = false;
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    for (;;) {
        if (stream.avail_in == 0 && fed < compressed.size()) {
            const std::size_t piece = compressed.size() - fed < most ? compressed.size() - fed : most;
            stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data() + fed));
            stream.avail_in = static_cast<uInt>(piece);
            fed += piece;
        }
        if (stream.avail_in == 0 && !more_output) break;
        in_member = true;
        if (text.size() - used < 1 << 16) text.resize(text.size() < 1 << 18 ? 1 << 20 : text.size() * 2);
        const std::size_t room = text.size() - used < most ? text.size() - used : most;
        stream.next_out = reinterpret_cast<Bytef*>(text.data() + used);
        stream.avail_out = static_cast<uInt>(room);
        const int result = inflate(&stream, Z_NO_FLUSH);
        used += room - stream.avail_out;
        more_output = stream.avail_out == 0;
        if (result == Z_STREAM_END) {
            in_member = more_output = false;
            // What follows is another member, unless it is zeros: tapes and some writers pad files with them.
            const std::size_t next = fed - stream.avail_in;
            if (compressed.find_first_not_of('\0', next) == std::string_view::npos) break;
            if (inflateReset(&stream) != Z_OK) refuse("the compressed file cannot be read on");
        } else if (result == Z_MEM_ERROR) {
            throw std::bad_alloc();
        } else if (result != Z_OK && result != Z_BUF_ERROR) {  // the latter: nothing was left to give
            refuse(used == 0 ? "the file is not in gzip format" : "the compressed file is damaged");
        }
    }
    if (in_member || compressed.empty()) refuse("the compressed file ends too early");
    text.resize(used);
    return text;
}

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
