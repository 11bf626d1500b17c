// SPDX-License-Identifier: Apache-2.0
#pragma once

// One number or text per group, of all its rows: exact, so that no order of rows, threads and workers shows.

#include <partita/comm/bytes.hpp>
#include <partita/core/error.hpp>
#include <partita/data/relational/row_keys.hpp>
#include <partita/math/exact_sum.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace partita::inline PARTITA_ABI::detail {

enum class AggregateKind : std::uint8_t { rows, present, sum, mean, smallest, largest };

/// An aggregate as plain values: of which column of the chunks, and what it gives.
struct AggregateInfo {
    AggregateKind kind = AggregateKind::rows;
    std::size_t column = 0;  ///< of the chunks; nothing for `rows`
    ColumnType input{};
    ColumnType output{};
    std::string_view name{};  ///< of the result
};

/// The state of one aggregate for all groups, which are numbered from 0.
class GroupStates {
  public:
    explicit GroupStates(const AggregateInfo& info) : info_(info) {}
    GroupStates(const GroupStates&) = delete;
    GroupStates& operator=(const GroupStates&) = delete;
    virtual ~GroupStates() = default;

    const AggregateInfo& info() const { return info_; }

    /// Makes room for so many groups.
    virtual void resize(std::size_t groups) = 0;
    /// Takes in row i of the slice for group groups[i].
    virtual void update(const ColumnSlice& slice, std::span<const std::uint32_t> groups) = 0;
    /// Writes the states of some groups, and takes such in for other groups.
    virtual void write(ByteWriter& writer, std::span<const std::uint32_t> groups) = 0;
    virtual void read(ByteReader& reader, std::span<const std::uint32_t> groups) = 0;
    /// The results of some groups, as a column.
    virtual ColumnData results(std::span<const std::uint32_t> groups) const = 0;

  protected:
    /// A column of numbers; `missing(group)` says where there is none.
    template <class T, class Value, class Missing>
    ColumnData numbers(std::span<const std::uint32_t> groups, Value value, Missing missing) const {
        ColumnData column = empty_column(groups, missing);
        column.values = Buffer::allocate(groups.size() * sizeof(T));
        for (std::size_t i = 0; i < groups.size(); ++i)
            column.values.mutable_as<T>()[i] = missing(groups[i]) ? T{} : value(groups[i]);
        return column;
    }
    template <class Missing>
    ColumnData empty_column(std::span<const std::uint32_t> groups, Missing missing) const {
        ColumnData column;
        column.type = info_.output;
        column.rows = groups.size();
        if (!info_.output.nullable) return column;
        std::vector<std::uint8_t> validity((groups.size() + 7) / 8);
        for (std::size_t i = 0; i < groups.size(); ++i)
            if (!missing(groups[i])) validity[i >> 3] = static_cast<std::uint8_t>(validity[i >> 3] | 1U << (i & 7));
        column.validity = Buffer::copy_of(validity);
        return column;
    }

  private:
    AggregateInfo info_;
};

/// How many rows, or how many that have a value.
class GroupCounts final : public GroupStates {
  public:
    using GroupStates::GroupStates;

    void resize(std::size_t groups) override { counts_.resize(groups); }
    void update(const ColumnSlice& slice, std::span<const std::uint32_t> groups) override {
        const bool all = info().kind == AggregateKind::rows;
        for (std::size_t row = 0; row < groups.size(); ++row) counts_[groups[row]] += all || slice.valid(row) ? 1 : 0;
    }
    void write(ByteWriter& writer, std::span<const std::uint32_t> groups) override {
        for (const std::uint32_t group : groups) writer.write(counts_[group]);
    }
    void read(ByteReader& reader, std::span<const std::uint32_t> groups) override {
        for (const std::uint32_t group : groups) counts_[group] += reader.read<std::int64_t>();
    }
    ColumnData results(std::span<const std::uint32_t> groups) const override {
        return numbers<std::int64_t>(groups, [&](auto group) { return counts_[group]; }, [](auto) { return false; });
    }

  private:
    std::vector<std::int64_t> counts_;
};

/// Sums and means of integers and bools.
class GroupIntegerSums final : public GroupStates {
  public:
    using GroupStates::GroupStates;

    void resize(std::size_t groups) override { sums_.resize(groups); }
    void update(const ColumnSlice& slice, std::span<const std::uint32_t> groups) override {
        with_number_of(slice.type.kind, [&]<class T>(T) {
            for (std::size_t row = 0; row < groups.size(); ++row) {
                if (!slice.valid(row)) continue;
                sums_[groups[row]].total += static_cast<Int128>(slice.as<T>()[row]);
                ++sums_[groups[row]].count;
            }
        });
    }
    void write(ByteWriter& writer, std::span<const std::uint32_t> groups) override {
        for (const std::uint32_t group : groups) writer.write(sums_[group]);
    }
    void read(ByteReader& reader, std::span<const std::uint32_t> groups) override {
        for (const std::uint32_t group : groups) {
            const auto other = reader.read<Sum>();
            sums_[group].total += other.total;
            sums_[group].count += other.count;
        }
    }
    ColumnData results(std::span<const std::uint32_t> groups) const override {
        const auto missing = [&](auto group) { return sums_[group].count == 0; };
        if (info().kind == AggregateKind::mean)
            return numbers<double>(
                groups,
                [&](auto group) {
                    return static_cast<double>(sums_[group].total) / static_cast<double>(sums_[group].count);
                },
                missing);
        return numbers<std::int64_t>(groups, [&](auto group) { return narrowed(sums_[group].total); }, missing);
    }

  private:
    struct Sum {
        Int128 total = 0;
        std::int64_t count = 0;
    };

    std::int64_t narrowed(Int128 total) const {
        const auto result = static_cast<std::int64_t>(total);
        if (static_cast<Int128>(result) == total) return result;
        throw NumericOverflow(
            "the sum \"" + std::string(info().name) +
                "\" of a group lies beyond 64 bits; make the column a double by map before it is summed",
            Place{.column = std::string(info().name)});
    }

    std::vector<Sum> sums_;
};

/// Sums and means of floats and doubles.
class GroupFloatSums final : public GroupStates {
  public:
    using GroupStates::GroupStates;

    void resize(std::size_t groups) override {
        sums_.resize(groups);
        counts_.resize(groups);
    }
    void update(const ColumnSlice& slice, std::span<const std::uint32_t> groups) override {
        slice.type.kind == Kind::float32 ? add<float>(slice, groups) : add<double>(slice, groups);
    }
    void write(ByteWriter& writer, std::span<const std::uint32_t> groups) override {
        ExactSums some(groups.size());
        for (std::size_t i = 0; i < groups.size(); ++i) {
            writer.write(counts_[groups[i]]);
            some.add_sum(i, sums_, groups[i]);
        }
        std::vector<std::int64_t> window, words;
        some.offer_window(window);
        WordReader maxima(window);
        some.adopt_window(maxima);
        some.pack(words);
        writer.write_sized(std::as_bytes(std::span(window)));
        writer.write_sized(std::as_bytes(std::span(words)));
    }
    void read(ByteReader& reader, std::span<const std::uint32_t> groups) override {
        for (const std::uint32_t group : groups) counts_[group] += reader.read<std::int64_t>();
        const auto words_of = [&] {
            const auto bytes = reader.read_sized();
            std::vector<std::int64_t> words(bytes.size() / sizeof(std::int64_t));
            if (!words.empty()) std::memcpy(words.data(), bytes.data(), bytes.size());
            return words;
        };
        const std::vector<std::int64_t> window = words_of(), words = words_of();
        ExactSums some(groups.size());
        WordReader maxima(window), sums(words);
        some.adopt_window(maxima);
        some.unpack(sums);
        for (std::size_t i = 0; i < groups.size(); ++i) sums_.add_sum(groups[i], some, i);
    }
    ColumnData results(std::span<const std::uint32_t> groups) const override {
        const bool mean = info().kind == AggregateKind::mean;
        return numbers<double>(
            groups,
            [&](auto group) {
                return mean ? sums_.value(group) / static_cast<double>(counts_[group]) : sums_.value(group);
            },
            [&](auto group) { return counts_[group] == 0; });
    }

  private:
    template <class T>
    void add(const ColumnSlice& slice, std::span<const std::uint32_t> groups) {
        for (std::size_t row = 0; row < groups.size(); ++row) {
            if (!slice.valid(row)) continue;
            sums_.add(groups[row], static_cast<double>(slice.as<T>()[row]));
            ++counts_[groups[row]];
        }
    }

    ExactSums sums_;
    std::vector<std::int64_t> counts_;
};

/// The smallest or largest number or time, in the order that rows are sorted in.
class GroupExtremes final : public GroupStates {
  public:
    using GroupStates::GroupStates;

    void resize(std::size_t groups) override { best_.resize(groups); }
    void update(const ColumnSlice& slice, std::span<const std::uint32_t> groups) override {
        with_number_of(slice.type.kind, [&]<class T>(T) {
            for (std::size_t row = 0; row < groups.size(); ++row)
                if (slice.valid(row)) take(groups[row], key_word(slice.as<T>()[row]));
        });
    }
    void write(ByteWriter& writer, std::span<const std::uint32_t> groups) override {
        for (const std::uint32_t group : groups) writer.write(best_[group]);
    }
    void read(ByteReader& reader, std::span<const std::uint32_t> groups) override {
        for (const std::uint32_t group : groups)
            if (const auto other = reader.read<Best>(); other.seen) take(group, other.word);
    }
    ColumnData results(std::span<const std::uint32_t> groups) const override {
        return with_number_of(info().output.kind, [&]<class T>(T) {
            return numbers<T>(
                groups, [&](auto group) { return from_key_word<T>(best_[group].word); },
                [&](auto group) { return !best_[group].seen; });
        });
    }

  private:
    struct Best {
        std::uint64_t word = 0;
        bool seen = false;
    };

    void take(std::uint32_t group, std::uint64_t word) {
        Best& best = best_[group];
        if (!best.seen || (info().kind == AggregateKind::smallest ? word < best.word : word > best.word))
            best = {word, true};
    }

    std::vector<Best> best_;
};

/// The first or last text by its bytes.
class GroupTextExtremes final : public GroupStates {
  public:
    using GroupStates::GroupStates;

    void resize(std::size_t groups) override { best_.resize(groups); }
    void update(const ColumnSlice& slice, std::span<const std::uint32_t> groups) override {
        for (std::size_t row = 0; row < groups.size(); ++row) {
            if (!slice.valid(row)) continue;
            if (slice.type.kind == Kind::category) {
                take(groups[row], slice.dictionary[static_cast<std::size_t>(slice.as<std::int32_t>()[row])]);
            } else {
                take(groups[row], {slice.as<char>() + slice.offsets[row],
                                   static_cast<std::size_t>(slice.offsets[row + 1] - slice.offsets[row])});
            }
        }
    }
    void write(ByteWriter& writer, std::span<const std::uint32_t> groups) override {
        for (const std::uint32_t group : groups) {
            writer.write(best_[group].has_value());
            if (best_[group]) writer.write_sized(*best_[group]);
        }
    }
    void read(ByteReader& reader, std::span<const std::uint32_t> groups) override {
        for (const std::uint32_t group : groups)
            if (reader.read<bool>()) take(group, reader.read_text());
    }
    ColumnData results(std::span<const std::uint32_t> groups) const override {
        const auto missing = [&](std::uint32_t group) { return !best_[group]; };
        ColumnData column = empty_column(groups, missing);
        if (info().output.kind == Kind::category) {
            TextIndex words;
            std::vector<std::int32_t> codes(groups.size());
            for (std::size_t i = 0; i < groups.size(); ++i)
                if (!missing(groups[i])) codes[i] = static_cast<std::int32_t>(words.insert(*best_[groups[i]]));
            column.values = Buffer::copy_of(codes);
            column.dictionary = dictionary_of(words);
            return column;
        }
        std::vector<char> bytes;
        std::vector<std::int64_t> offsets{0};
        for (const std::uint32_t group : groups) {
            if (!missing(group)) bytes.insert(bytes.end(), best_[group]->begin(), best_[group]->end());
            offsets.push_back(static_cast<std::int64_t>(bytes.size()));
        }
        column.values = Buffer::copy_of(bytes);
        column.offsets = Buffer::copy_of(offsets);
        return column;
    }

  private:
    void take(std::uint32_t group, std::string_view text) {
        std::optional<std::string>& best = best_[group];
        if (!best || (info().kind == AggregateKind::smallest ? text < *best : text > *best)) best.emplace(text);
    }

    std::vector<std::optional<std::string>> best_;
};

inline std::unique_ptr<GroupStates> make_group_states(const AggregateInfo& info) {
    if (info.kind == AggregateKind::rows || info.kind == AggregateKind::present)
        return std::make_unique<GroupCounts>(info);
    const KindSet kind = kind_bit(info.input.kind);
    if (info.kind == AggregateKind::sum || info.kind == AggregateKind::mean) {
        if ((kind & float_kinds) != 0) return std::make_unique<GroupFloatSums>(info);
        return std::make_unique<GroupIntegerSums>(info);
    }
    if ((kind & text_kinds) != 0) return std::make_unique<GroupTextExtremes>(info);
    return std::make_unique<GroupExtremes>(info);
}

}  // namespace partita::inline PARTITA_ABI::detail
