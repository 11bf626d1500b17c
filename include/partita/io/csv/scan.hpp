// SPDX-License-Identifier: Apache-2.0
#pragma once

// The structure of delimited text: where records and fields end, found 64 bytes at a time as bit masks.
//
// A line end outside quotes ends a record. Whether a byte is inside quotes is the parity of the quotes before it, so any
// part of a text can be scanned without knowing what comes before: both answers are kept, and chosen between later.

#include <partita/core/version.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace partita::inline PARTITA_ABI {
namespace detail {

/// The characters of a dialect. Without quoting no byte counts as a quote.
struct CsvDialect {
    char delimiter = ',';
    char quote = '"';
    bool quoting = true;
};

/// One bit for each of 64 bytes of text.
struct CsvMasks {
    std::uint64_t delimiter = 0, newline = 0, quote = 0;
};

#if defined(__AVX2__)
using CsvBytes = char __attribute__((vector_size(32)));
inline std::uint64_t csv_equal_mask(const CsvBytes& bytes, const CsvBytes& wanted) {
    return static_cast<std::uint32_t>(__builtin_ia32_pmovmskb256((CsvBytes)(bytes == wanted)));
}
#elif defined(__SSE2__)
using CsvBytes = char __attribute__((vector_size(16)));
inline std::uint64_t csv_equal_mask(const CsvBytes& bytes, const CsvBytes& wanted) {
    return static_cast<std::uint32_t>(__builtin_ia32_pmovmskb128((CsvBytes)(bytes == wanted)));
}
#else
using CsvBytes = std::uint64_t;
inline std::uint64_t csv_equal_mask(CsvBytes bytes, CsvBytes wanted) {
    constexpr std::uint64_t low = 0x7F7F7F7F7F7F7F7F;
    if constexpr (std::endian::native == std::endian::big) {
        std::uint64_t swapped = 0;
        for (int i = 0; i < 8; ++i) swapped = swapped << 8 | (bytes >> (8 * i) & 0xFF);
        bytes = swapped;
    }
    const std::uint64_t difference = bytes ^ wanted;
    const std::uint64_t equal = ~(((difference & low) + low) | difference | low);  // 0x80 where the bytes are equal
    return (equal >> 7) * 0x0102040810204080 >> 56;
}
#endif

/// Compares 64 bytes with the characters of a dialect.
class CsvScanner {
  public:
    explicit CsvScanner(CsvDialect dialect)
        : delimiter_(splat(dialect.delimiter)),
          newline_(splat('\n')),
          quote_(splat(dialect.quote)),
          quoting_(dialect.quoting ? ~std::uint64_t{0} : 0) {}

    /// The masks of 64 bytes.
    CsvMasks whole(const char* text) const {
        CsvMasks result;
        for (unsigned i = 0; i < 64; i += sizeof(CsvBytes)) {
            CsvBytes bytes;
            std::memcpy(&bytes, text + i, sizeof bytes);
            result.delimiter |= csv_equal_mask(bytes, delimiter_) << i;
            result.newline |= csv_equal_mask(bytes, newline_) << i;
            result.quote |= csv_equal_mask(bytes, quote_) << i;
        }
        result.quote &= quoting_;
        return result;
    }
    /// The masks of the bytes from `text` on, of which there are `left`; those beyond the end are nothing.
    CsvMasks at(const char* text, std::size_t left) const {
        if (left >= 64) return whole(text);
        char padded[64] = {};
        std::memcpy(padded, text, left);
        CsvMasks result = whole(padded);
        const std::uint64_t there = (std::uint64_t{1} << left) - 1;
        result.delimiter &= there;
        result.newline &= there;
        result.quote &= there;
        return result;
    }

  private:
    static CsvBytes splat(char character) {
        CsvBytes bytes;
        std::memset(&bytes, character, sizeof bytes);
        return bytes;
    }
    CsvBytes delimiter_, newline_, quote_;
    std::uint64_t quoting_;
};

inline unsigned count_bits(std::uint64_t bits) {
#if defined(__POPCNT__) || !defined(__x86_64__)
    return static_cast<unsigned>(std::popcount(bits));
#else  // without the instruction the compiler would call a function
    bits -= bits >> 1 & 0x5555555555555555;
    bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
    return static_cast<unsigned>(((bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0F) * 0x0101010101010101 >> 56);
#endif
}

/// Bit i is the parity of bits 0 … i.
inline std::uint64_t parity_so_far(std::uint64_t bits) {
#if defined(__PCLMUL__)  // a product without carries, by all ones
    using Pair = long long __attribute__((vector_size(16)));
    return static_cast<std::uint64_t>(
        __builtin_ia32_pclmulqdq128(Pair{static_cast<long long>(bits), 0}, Pair{-1, 0}, 0)[0]);
#else
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    return bits ^ bits << 32;
#endif
}

/// What a part of a text contributes, whichever state it starts in.
struct CsvRange {
    std::int64_t line_ends[2] = {0, 0};  ///< records that end in it if it starts outside and inside quotes
    bool flips = false;                  ///< whether it holds an odd number of quotes
};

inline CsvRange scan_csv_range(const CsvScanner& scanner, std::string_view text) {
    CsvRange result;
    std::uint64_t inside = 0;  // all ones while inside quotes, for a start outside
    for (std::size_t position = 0; position < text.size(); position += 64) {
        const CsvMasks masks = scanner.at(text.data() + position, text.size() - position);
        std::uint64_t quoted = inside;
        if (masks.quote != 0) {
            quoted ^= parity_so_far(masks.quote);
            inside = quoted >> 63 != 0 ? ~std::uint64_t{0} : 0;
        }
        result.line_ends[0] += count_bits(masks.newline & ~quoted);
        result.line_ends[1] += count_bits(masks.newline & quoted);
    }
    result.flips = inside != 0;
    return result;
}

/// The position behind the `count`-th line end (from 1) that ends a record, in a text that starts in the given state.
inline std::size_t find_csv_record(const CsvScanner& scanner, std::string_view text, bool starts_inside,
                                   std::int64_t count) {
    if (count == 0) return 0;
    std::uint64_t inside = starts_inside ? ~std::uint64_t{0} : 0;
    for (std::size_t position = 0; position < text.size(); position += 64) {
        const CsvMasks masks = scanner.at(text.data() + position, text.size() - position);
        std::uint64_t quoted = inside;
        if (masks.quote != 0) {
            quoted ^= parity_so_far(masks.quote);
            inside = quoted >> 63 != 0 ? ~std::uint64_t{0} : 0;
        }
        std::uint64_t ends = masks.newline & ~quoted;
        const auto here = static_cast<std::int64_t>(count_bits(ends));
        if (here < count) {
            count -= here;
            continue;
        }
        for (; count > 1; --count) ends &= ends - 1;
        return position + static_cast<std::size_t>(std::countr_zero(ends)) + 1;
    }
    return text.size();
}

/// Some whole records, cut into fields: field i of the batch is text[starts[i], starts[i + 1] - 1).
struct CsvBatch {
    std::vector<std::uint32_t> starts;    ///< relative to the batch's first byte
    std::vector<std::uint32_t> row_ends;  ///< for each record the index in `starts` behind its last field
    std::size_t rows = 0;
    std::size_t size_bytes = 0;  ///< of the records, line ends included
    bool has_quotes = false;     ///< whether any field may be quoted
    bool has_bad_quote = false;  ///< the record behind these has a quote where none may be …
    std::size_t bad_quote = 0;   ///< … at this position, or is never closed (npos)
};

/// Cuts records off the front of `text`, which starts with a record: at least one (unless its quoting is wrong), at most
/// `max_rows`, and not many more when `enough_bytes` have been passed.
class CsvCutter {
  public:
    explicit CsvCutter(CsvDialect dialect) : scanner_(dialect) {}

    void cut(std::string_view text, std::size_t max_rows, std::size_t enough_bytes, CsvBatch& batch) const {
        batch.rows = 0;
        batch.size_bytes = 0;
        batch.has_quotes = batch.has_bad_quote = false;
        if (batch.starts.size() < 256) batch.starts.resize(256);
        if (batch.row_ends.size() < max_rows + 64) batch.row_ends.resize(max_rows + 64);
        batch.starts[0] = 0;
        std::size_t fields = 0;
        std::uint64_t inside = 0;         // all ones while inside quotes
        std::uint64_t field_starts = 1;   // whether the next byte is the first of a field
        std::uint64_t after_closing = 0;  // whether the byte before was a closing quote
        const std::size_t limit = text.size() < max_record_bytes ? text.size() : max_record_bytes;
        std::size_t position = 0;
        for (; position < limit; position += 64) {
            const CsvMasks masks = scanner_.at(text.data() + position, limit - position);
            std::uint64_t quoted = inside;
            std::uint64_t ends = masks.delimiter | masks.newline;
            std::uint64_t bad = 0;
            if ((masks.quote | inside) != 0) {
                quoted ^= parity_so_far(masks.quote);
                ends &= ~quoted;
                // An opening quote comes first in its field, or right behind a closing one, and then the two stand for one
                // quote. A closing quote is followed by another quote or by the end of the field.
                const std::uint64_t closing = masks.quote & ~quoted;
                const std::uint64_t behind = closing << 1 | after_closing;
                bad = (masks.quote & quoted & ~(ends << 1 | field_starts | behind)) | (behind & ~(ends | masks.quote));
                if (limit - position < 64) bad &= (std::uint64_t{1} << (limit - position)) - 1;
                for (; bad != 0; bad &= bad - 1)
                    if (!ends_line(text, position + static_cast<std::size_t>(std::countr_zero(bad)))) break;
                after_closing = closing >> 63;
                inside = quoted >> 63 != 0 ? ~std::uint64_t{0} : 0;
                batch.has_quotes = true;
            } else if (after_closing != 0) {
                if ((ends & 1) == 0 && !ends_line(text, position)) bad = 1;
                after_closing = 0;
            }
            field_starts = ends >> 63;
            if (bad != 0) {  // what follows the bad quote is not cut
                batch.has_bad_quote = true;
                batch.bad_quote = position + static_cast<std::size_t>(std::countr_zero(bad));
                ends &= (bad & (~bad + 1)) - 1;
            }
            if (batch.starts.size() < fields + 66) batch.starts.resize(batch.starts.size() * 2);
            const std::uint64_t line_ends = ends & masks.newline;
            for (std::uint64_t left = line_ends; left != 0; left &= left - 1)
                batch.row_ends[batch.rows++] =
                    static_cast<std::uint32_t>(fields + count_bits(ends & (left ^ (left - 1))));
            const std::uint32_t here = static_cast<std::uint32_t>(position) + 1;
            std::uint32_t* out = batch.starts.data() + fields + 1;
            fields += count_bits(ends);
            for (; ends != 0; ends &= ends - 1) *out++ = here + static_cast<std::uint32_t>(std::countr_zero(ends));
            if (bad != 0) break;
            if (batch.rows >= max_rows || (batch.rows != 0 && position >= enough_bytes)) break;
        }
        if (position >= limit && !batch.has_bad_quote) finish(text, limit, fields, inside != 0, batch);
        if (batch.rows > max_rows) batch.rows = max_rows;
        if (batch.rows == max_rows) batch.has_bad_quote = false;
        if (batch.rows != 0) batch.size_bytes = batch.starts[batch.row_ends[batch.rows - 1]];
        if (batch.size_bytes > text.size()) batch.size_bytes = text.size();
    }

    static constexpr std::size_t max_record_bytes = std::size_t{1} << 30;

  private:
    /// Whether a CR at this position belongs to the end of a line.
    static bool ends_line(std::string_view text, std::size_t position) {
        return text[position] == '\r' && (position + 1 == text.size() || text[position + 1] == '\n');
    }
    /// The end of the text ends the last record too.
    static void finish(std::string_view text, std::size_t limit, std::size_t fields, bool inside, CsvBatch& batch) {
        const std::size_t record = batch.rows == 0 ? 0 : batch.starts[batch.row_ends[batch.rows - 1]];
        if (inside || limit < text.size()) {
            if (limit < text.size() && batch.rows != 0) return;
            batch.has_bad_quote = true;
            batch.bad_quote = std::string_view::npos;
        } else if (record < text.size()) {
            batch.starts[fields + 1] = static_cast<std::uint32_t>(text.size()) + 1;
            batch.row_ends[batch.rows++] = static_cast<std::uint32_t>(fields + 1);
        }
    }

    CsvScanner scanner_;
};

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
