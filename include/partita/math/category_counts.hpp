// SPDX-License-Identifier: Apache-2.0
#pragma once

// Weights by text.

#include <partita/math/histogram.hpp>
#include <partita/math/text_index.hpp>

#include <algorithm>

namespace partita::inline PARTITA_ABI {

/// One category and its weight.
struct CategoryWeight {
    std::string_view text;
    double weight = 0;
};

/// The weight of each distinct text, exactly.
///
/// Errors: TooManyCategories beyond `maximum_categories` distinct texts, in one state or in all workers' states together.
/// Determinism: the result does not depend on the order of rows, merges or workers. Cost: about 40 bytes a category besides
/// its text, one hash look-up an `add`: callers with dictionaries count codes first.
class CategoryCounts {
  public:
    static constexpr std::size_t default_maximum_categories = std::size_t{1} << 24;

    CategoryCounts() = default;
    explicit CategoryCounts(std::size_t maximum_categories) : maximum_categories_(maximum_categories) {}

    /// Counts `count` rows of this text.
    void add(std::string_view text, std::int64_t count = 1) {
        if (count != 0) weights_.add(slot(text), count);
    }
    /// Counts one row of this text and weight.
    void add_weight(std::string_view text, double weight) {
        if (weight != 0) weights_.add_weight(slot(text), weight);
    }

    void merge(const CategoryCounts& other) {
        for (std::size_t id = 0; id < other.texts_.size(); ++id)
            weights_.add_bin(slot(other.texts_.text(id)), other.weights_, id);
    }
    void withdraw(const CategoryCounts& other) {
        Histogram theirs(texts_.size());
        for (std::size_t id = 0; id < other.texts_.size(); ++id) {
            const std::size_t mine = slot(other.texts_.text(id));
            theirs.resize(texts_.size());
            theirs.add_bin(mine, other.weights_, id);
        }
        weights_.withdraw(theirs);
        normalise();
    }

    /// The weight of one text, rounded once; zero if it was not seen.
    double weight(std::string_view text) const {
        const std::uint32_t id = texts_.find(text);
        return id == TextIndex::none ? 0.0 : weights_.weight(id);
    }
    /// All categories, the heaviest first, of equal weights in ascending order of their bytes. The texts are borrowed from
    /// this state.
    std::vector<CategoryWeight> sorted() const {
        std::vector<CategoryWeight> all;
        all.reserve(texts_.size());
        for (std::size_t id = 0; id < texts_.size(); ++id) {
            const double weight = weights_.weight(id);
            if (weight != 0) all.push_back({texts_.text(id), weight});
        }
        std::sort(all.begin(), all.end(), [](const CategoryWeight& a, const CategoryWeight& b) {
            return a.weight != b.weight ? a.weight > b.weight : a.text < b.text;
        });
        return all;
    }
    /// The weight of all categories together, rounded once.
    double total() const { return weights_.total(); }
    std::size_t maximum_categories() const { return maximum_categories_; }

    friend bool operator==(CategoryCounts a, CategoryCounts b) {
        a.normalise();
        b.normalise();
        if (a.texts_.size() != b.texts_.size() || !(a.weights_ == b.weights_)) return false;
        for (std::size_t id = 0; id < a.texts_.size(); ++id) {
            if (a.texts_.text(id) != b.texts_.text(id)) return false;
        }
        return true;
    }

    // The protocol of accumulator.hpp.
    static constexpr bool keyed = true;
    void offer_shape(std::vector<std::int64_t>& maxima) const { maxima.push_back(!weights_.whole()); }
    void adopt_shape(WordReader& maxima) { fractional_ = maxima.next() != 0; }
    void offer_keys(std::string& bytes) const {
        for (std::size_t id = 0; id < texts_.size(); ++id) {
            const std::string_view text = texts_.text(id);
            const auto length = static_cast<std::uint64_t>(text.size());
            for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(length >> (8 * i) & 255));
            bytes.append(text);
        }
    }
    void adopt_keys(std::string_view bytes) {
        while (bytes.size() >= 8) {
            std::uint64_t length = 0;
            for (std::size_t i = 0; i < 8; ++i) {
                length |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
            }
            bytes.remove_prefix(8);
            if (length > bytes.size()) break;
            slot(bytes.substr(0, length));
            bytes.remove_prefix(length);
        }
        if (!bytes.empty()) {
            throw CollectiveMismatch(
                "the categories that another worker sent end in the middle of a text: the workers did "
                "not build the same state");
        }
    }
    void offer_window(std::vector<std::int64_t>& maxima) {
        order(true);
        if (fractional_) weights_.reserve_fractions();
        weights_.offer_window(maxima);
    }
    void adopt_window(WordReader& maxima) { weights_.adopt_window(maxima); }
    void pack(std::vector<std::int64_t>& sums) { weights_.pack(sums); }
    void unpack(WordReader& sums) { weights_.unpack(sums); }

  private:
    std::size_t slot(std::string_view text) {
        // Before anything changes, so that a state that refused a text is still whole.
        if (texts_.size() >= maximum_categories_ && texts_.find(text) == TextIndex::none) fail();
        const std::uint32_t id = texts_.insert(text);
        weights_.resize(texts_.size());
        return id;
    }
    [[noreturn]] void fail() const {
        throw TooManyCategories(
            "there are more than " + std::to_string(maximum_categories_) +
            " distinct categories: raise the maximum, or check that the column is not an identifier");
    }
    void normalise() { order(false); }
    /// Renumbers the texts in ascending order of their bytes; those of weight zero go unless `keep`.
    void order(bool keep) {
        std::vector<std::uint32_t> ids;
        for (std::uint32_t id = 0; id < texts_.size(); ++id) {
            if (keep || weights_.weight(id) != 0) ids.push_back(id);
        }
        std::sort(ids.begin(), ids.end(),
                  [&](std::uint32_t a, std::uint32_t b) { return texts_.text(a) < texts_.text(b); });
        TextIndex texts;
        Histogram weights(ids.size());
        for (std::uint32_t id : ids) weights.add_bin(texts.insert(texts_.text(id)), weights_, id);
        texts_ = std::move(texts);
        weights_ = std::move(weights);
    }

    std::size_t maximum_categories_ = default_maximum_categories;
    TextIndex texts_;
    Histogram weights_;  // by id
    bool fractional_ = false;
};

}  // namespace partita::inline PARTITA_ABI
