// SPDX-License-Identifier: Apache-2.0
#pragma once

// From fields to columns: a run of records is parsed one column after the other, so that each loop knows its type.

#include <partita/data/chunk.hpp>
#include <partita/data/schema.hpp>
#include <partita/io/csv/category_table.hpp>
#include <partita/io/csv/parse_value.hpp>

#include <memory>

namespace partita::inline PARTITA_ABI {
namespace detail {

/// Some records of one batch that all have the right number of fields.
struct CsvRun {
    const char* text = nullptr;             ///< the batch's first byte
    std::size_t readable = 0;               ///< bytes before it that may be read
    const std::uint32_t* starts = nullptr;  ///< of the run's first field, as in CsvBatch
    std::size_t fields = 0;                 ///< in each record
    std::size_t rows = 0;
    bool has_quotes = false;
    char quote = '"';

    /// The bytes of a field as they stand in the file, quotes included.
    std::string_view raw(std::size_t row, std::size_t field) const {
        const std::uint32_t* start = starts + row * fields + field;
        const char* begin = text + start[0];
        const char* end = text + start[1] - 1;
        if (field + 1 == fields && end != begin && end[-1] == '\r') --end;
        return {begin, static_cast<std::size_t>(end - begin)};
    }
    bool is_quoted(std::string_view raw_field) const {
        return has_quotes && raw_field.size() >= 2 && raw_field[0] == quote;
    }
    /// A field's content. What has doubled quotes in it is put together in `scratch`.
    std::string_view content(std::string_view raw_field, std::string& scratch) const {
        if (!is_quoted(raw_field)) return raw_field;
        raw_field = raw_field.substr(1, raw_field.size() - 2);
        std::size_t at = raw_field.find(quote);
        if (at == std::string_view::npos) return raw_field;
        scratch.clear();
        while (at != std::string_view::npos) {
            scratch.append(raw_field.substr(0, at + 1));
            raw_field.remove_prefix(at + 2);
            at = raw_field.find(quote);
        }
        scratch.append(raw_field);
        return scratch;
    }
};

class CsvColumnBuilder;

/// How the fields of columns of one kind are parsed: see CsvColumnBuilder::parse and check.
struct CsvColumnParser {
    std::size_t (*parse)(CsvColumnBuilder&, const CsvRun&, std::size_t field, std::size_t first, std::size_t slot);
    Spelt (*check)(CsvColumnBuilder&, std::string_view text);
};

/// What a field of a column of this kind spells, for all but texts.
template <Kind K> struct CsvNumberOf : std::type_identity<void> {};
template <Kind K>
    requires((kind_bit(K) & (number_kinds | kind_bit(Kind::timestamp))) != 0)
struct CsvNumberOf<K> : ValueOf<K, dynamic> {};
template <> struct CsvNumberOf<Kind::vector_float32> : std::type_identity<float> {};
template <> struct CsvNumberOf<Kind::vector_float64> : std::type_identity<double> {};
template <Kind K>
using CsvNumber = typename CsvNumberOf<K>::type;

/// One column of a chunk in the making.
class CsvColumnBuilder {
  public:
    /// A column of up to `rows` rows; `width` numbers in each for a vector, otherwise 1.
    CsvColumnBuilder(ColumnType type, const CsvColumnParser& parser, std::size_t rows, std::size_t width,
                     const MissingWords& missing)
        : parser_(&parser), missing_(&missing), width_(width) {
        data_.type = type;
        data_.rows = rows;
        data_.width = is_vector() ? width : 0;
        if (type.kind == Kind::text) {
            data_.offsets = Buffer::allocate((rows + 1) * sizeof(std::int64_t));
            data_.offsets.mutable_as<std::int64_t>()[0] = 0;
        } else {
            data_.values = Buffer::allocate(rows * width * width_bytes(type.kind));
            values_ = data_.values.mutable_as<std::byte>();
        }
    }

    /// Whether a field can fail to spell a value. Such columns are parsed first.
    bool may_fail() const { return (kind_bit(data_.type.kind) & text_kinds) == 0; }

    /// Parses one field of each record into the rows from `first` on, as element `slot` of a vector; returns how many
    /// records it managed before one that spells no value.
    std::size_t parse(const CsvRun& run, std::size_t field, std::size_t first, std::size_t slot) {
        return parser_->parse(*this, run, field, first, slot);
    }

    /// What one field spells; nothing is kept.
    Spelt check(std::string_view text) { return parser_->check(*this, text); }
    bool nullable() const { return data_.type.nullable; }

    /// Forgets what the rows from `first` to `last` were parsed to.
    void forget(std::size_t first, std::size_t last) {
        if (validity_ == nullptr) return;
        for (std::size_t row = first; row < last; ++row)
            validity_[row >> 3] = static_cast<std::uint8_t>(validity_[row >> 3] | 1U << (row & 7));
    }

    /// The finished column, of the first `rows` rows.
    ColumnData finish(std::size_t rows) {
        data_.rows = rows;
        if (data_.type.kind == Kind::text) data_.values = Buffer::borrow(bytes_.get(), used_bytes_, bytes_);
        if (data_.type.kind == Kind::category) data_.dictionary = categories_.finish();
        return std::move(data_);
    }

    /// The parser of columns of a kind.
    template <Kind K>
    static constexpr CsvColumnParser parser_of() {
        return {&CsvColumnBuilder::parse_kind<K>, &CsvColumnBuilder::check_kind<K>};
    }

  private:
    template <Kind K>
    static std::size_t parse_kind(CsvColumnBuilder& self, const CsvRun& run, std::size_t field, std::size_t first,
                                  std::size_t slot) {
        if constexpr (K == Kind::category) return self.categories(run, field, first);
        else if constexpr (std::is_void_v<CsvNumber<K>>) return self.texts(run, field, first);
        else return self.numbers<CsvNumber<K>>(run, field, first, slot);
    }
    template <Kind K>
    static Spelt check_kind(CsvColumnBuilder& self, std::string_view text) {
        if constexpr (std::is_void_v<CsvNumber<K>>) return Spelt::value;
        else return self.check_as<CsvNumber<K>>(text);
    }

    bool is_vector() const { return (kind_bit(data_.type.kind) & dense_vector_kinds) != 0; }

    template <class T>
    Spelt check_as(std::string_view text) {
        T value{};
        return parse_any(text, *missing_, times_, value);
    }

    void set_missing(std::size_t row) {
        if (validity_ == nullptr) {
            const std::size_t size_bytes = (data_.rows + 7) / 8;
            data_.validity = Buffer::allocate(size_bytes);
            validity_ = data_.validity.mutable_as<std::uint8_t>();
            std::memset(validity_, 0xFF, size_bytes);
        }
        validity_[row >> 3] = static_cast<std::uint8_t>(validity_[row >> 3] & ~(1U << (row & 7)));
    }

    template <class T>
    std::size_t numbers(const CsvRun& run, std::size_t field, std::size_t first, std::size_t slot) {
        T* out = reinterpret_cast<T*>(values_) + first * width_ + slot;
        const std::size_t width = width_, fields = run.fields, rows = run.rows, readable = run.readable;
        const bool last = field + 1 == fields, quotes = run.has_quotes;
        const char* const text = run.text;
        const char quote = run.quote;
        const bool fast = !missing_->may_be_numbers(), empty_is_missing = data_.type.nullable && missing_->contains("");
        const std::uint32_t* start = run.starts + field;
        for (std::size_t row = 0; row < rows; ++row, start += fields, out += width) {
            const char* begin = text + start[0];
            const char* end = text + start[1] - 1;
            if (last && end != begin && end[-1] == '\r') --end;
            if (quotes && end - begin >= 2 && *begin == quote) ++begin, --end;
            if (begin == end && empty_is_missing) {
                set_missing(first + row);
                *out = T{};
                continue;
            }
            if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
                if (fast && parse_number_fast(begin, end, start[0] + readable, *out)) continue;
            } else if constexpr (std::is_same_v<T, Timestamp>) {
                if (fast && end - begin == 19 && times_.parse_usual(begin, *out)) continue;
            }
            T value{};
            std::string_view spelling(begin, static_cast<std::size_t>(end - begin));
            if (quotes && spelling.find(quote) != std::string_view::npos)
                spelling = run.content(run.raw(row, field), scratch_);
            const Spelt spelt = parse_any(spelling, *missing_, times_, value);
            if (spelt != Spelt::value) {
                if (spelt != Spelt::missing || !data_.type.nullable) return row;
                set_missing(first + row);
                value = T{};
            }
            *out = value;
        }
        return rows;
    }

    bool is_missing(const CsvRun& run, std::string_view raw_field) const {
        return data_.type.nullable && !run.is_quoted(raw_field) && missing_->contains(raw_field);
    }

    std::size_t categories(const CsvRun& run, std::size_t field, std::size_t first) {
        std::int32_t* out = reinterpret_cast<std::int32_t*>(values_) + first;
        for (std::size_t row = 0; row < run.rows; ++row) {
            const std::string_view raw = run.raw(row, field);
            if (is_missing(run, raw)) {
                set_missing(first + row);
                out[row] = 0;
                continue;
            }
            const std::string_view text = run.content(raw, scratch_);
            if (text.data() == scratch_.data()) {
                out[row] = categories_.code_of(text, false, true);
            } else {
                const auto before_end = run.readable + static_cast<std::size_t>(text.data() + text.size() - run.text);
                out[row] = categories_.code_of(text, before_end >= 8, false);
            }
        }
        return run.rows;
    }

    std::size_t texts(const CsvRun& run, std::size_t field, std::size_t first) {
        std::int64_t* offsets = data_.offsets.mutable_as<std::int64_t>() + first;
        for (std::size_t row = 0; row < run.rows; ++row) {
            const std::string_view raw = run.raw(row, field);
            if (is_missing(run, raw)) {
                set_missing(first + row);
            } else {
                const std::string_view text = run.content(raw, scratch_);
                if (used_bytes_ + text.size() > capacity_bytes_) grow(used_bytes_ + text.size(), first + row);
                if (!text.empty()) std::memcpy(bytes_.get() + used_bytes_, text.data(), text.size());
                used_bytes_ += text.size();
            }
            offsets[row + 1] = static_cast<std::int64_t>(used_bytes_);
        }
        return run.rows;
    }

    /// Makes room for `needed` bytes, and for what the remaining rows will need if they are like those so far.
    void grow(std::size_t needed, std::size_t rows_so_far) {
        std::size_t capacity = needed + needed / 8 + 1024;
        if (rows_so_far > 64) capacity = capacity / rows_so_far * data_.rows + capacity;
        std::shared_ptr<std::byte[]> bigger(new std::byte[capacity]);
        if (used_bytes_ != 0) std::memcpy(bigger.get(), bytes_.get(), used_bytes_);
        bytes_ = std::move(bigger);
        capacity_bytes_ = capacity;
    }

    ColumnData data_;
    const CsvColumnParser* parser_;
    const MissingWords* missing_;
    std::size_t width_;
    std::byte* values_ = nullptr;
    std::uint8_t* validity_ = nullptr;
    TimestampReader times_;
    CategoryTable categories_;
    std::string scratch_;
    std::shared_ptr<std::byte[]> bytes_;
    std::size_t used_bytes_ = 0, capacity_bytes_ = 0;
};

/// One parser for each column of a table. A program contains those of the kinds that its rows have.
template <class Row, class Columns = std::make_index_sequence<columns_of<Row>.size()>>
struct CsvParsers;
template <class Row, std::size_t... I>
struct CsvParsers<Row, std::index_sequence<I...>> {
    static constexpr CsvColumnParser each[] = {CsvColumnBuilder::parser_of<columns_of<Row>[I].type.kind>()...};
};

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
