// SPDX-License-Identifier: Apache-2.0
#pragma once

// Columns of vectors, for tests that call kernels without a dataset.

#include <partita/data/output_view.hpp>
#include <partita/math/accumulator.hpp>
#include <partita/stage/concepts.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace columns {

namespace pt = partita;

template <class T>
std::span<const T> view(const std::vector<T>& values) {
    return values;
}

/// A column of optional numbers.
template <class T>
struct Optional {
    std::vector<T> values;
    std::vector<std::uint8_t> bits;
    Optional(const std::vector<std::optional<T>>& rows) : values(rows.size()), bits(rows.size() / 8 + 1) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (!rows[i]) continue;
            values[i] = *rows[i];
            bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | 1u << (i % 8));
        }
    }
    /// Rows [first, first + count), whose validity begins in the middle of a byte.
    pt::NullableView<std::span<const T>> view(std::size_t first, std::size_t count) const {
        return {std::span<const T>(values).subspan(first, count), bits.data(), first};
    }
    pt::NullableView<std::span<const T>> view() const { return view(0, values.size()); }
};

/// A column of categories; empty optionals are missing.
struct Categories {
    std::vector<std::string_view> dictionary;
    std::vector<std::int32_t> codes;
    std::vector<std::uint8_t> bits;
    Categories(const std::vector<std::optional<std::string_view>>& rows, std::vector<std::string_view> first_words = {})
        : dictionary(std::move(first_words)), codes(rows.size()), bits(rows.size() / 8 + 1) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (!rows[i]) continue;
            std::size_t code = 0;
            while (code < dictionary.size() && dictionary[code] != *rows[i]) ++code;
            if (code == dictionary.size()) dictionary.push_back(*rows[i]);
            codes[i] = static_cast<std::int32_t>(code);
            bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | 1u << (i % 8));
        }
    }
    pt::CategoryView view() const { return {codes.data(), codes.size(), dictionary.data(), dictionary.size()}; }
    pt::CategoryView row(std::size_t i) const {
        static constexpr std::int32_t zero = 0;
        return {&zero, &dictionary[static_cast<std::size_t>(codes[i])], -1};
    }
    pt::NullableView<pt::CategoryView> nullable() const { return {view(), bits.data(), 0}; }
};

/// A column of texts.
struct Texts {
    std::string bytes;
    std::vector<std::int64_t> offsets{0};
    Texts(const std::vector<std::string_view>& rows) {
        for (std::string_view row : rows) {
            bytes += row;
            offsets.push_back(static_cast<std::int64_t>(bytes.size()));
        }
    }
    pt::TextView view() const { return {bytes.data(), offsets.data(), offsets.size() - 1}; }
};

/// A sparse column, read or written.
template <class T>
struct Sparse {
    std::size_t width;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> indices;
    std::vector<T> values;
    explicit Sparse(std::size_t columns) : width(columns) {}
    Sparse(std::size_t columns, const std::vector<std::map<std::int32_t, T>>& rows) : width(columns) {
        for (const auto& row : rows) {
            for (const auto& [index, value] : row) {
                indices.push_back(index);
                values.push_back(value);
            }
            offsets.push_back(static_cast<std::int64_t>(indices.size()));
        }
    }
    pt::SparseView<T> view() const {
        return {offsets.data(), indices.data(), values.data(), offsets.size() - 1, width};
    }
    pt::SparseOutput<T> output(std::size_t rows) {
        offsets.assign(rows + 1, 0);
        indices.clear();
        values.clear();
        return {offsets.data(), width, &grow, this};
    }
    static void grow(pt::SparseOutput<T>& output, void* owner) {
        auto& self = *static_cast<Sparse*>(owner);
        self.indices.resize(output.size() + 3);
        self.values.resize(output.size() + 3);
        output.place(self.indices.data(), self.values.data(), output.size() + 3);
    }
    /// What was written, without the room that was left.
    void trim() {
        indices.resize(static_cast<std::size_t>(offsets.back()));
        values.resize(static_cast<std::size_t>(offsets.back()));
    }
};

/// The summary of a stage's fit over parts of the data, merged.
template <class Summary, class StageType, class... Parts>
Summary summarise(const StageType& stage, const Parts&... parts) {
    const Summary empty = pt::detail::start_summary<Summary>(stage);
    Summary total = empty;
    const auto add = [&](const auto& part) {
        Summary one = empty;
        one.update(part, pt::Weights());
        pt::merge_state(total, one);
    };
    (add(parts), ...);
    return total;
}

}  // namespace columns
